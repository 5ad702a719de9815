package io.github.kclprocessor.launcher;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpService;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.utils.AttributeMap;

/** The HTTP of every asynchronous SDK client of the daemon, the KCL's among them; see {@link BlockingHttp}. */
public final class AsyncHttp implements SdkAsyncHttpService {
    @Override
    @SuppressWarnings("rawtypes")
    public SdkAsyncHttpClient.Builder createAsyncHttpClientFactory() {
        return (SdkAsyncHttpClient.Builder) Client::new;
    }

    private static final class Client implements SdkAsyncHttpClient {
        private final Ways<SdkAsyncHttpClient> ways;

        Client(AttributeMap defaults) {
            ways = new Ways<>(proxy -> make(proxy, defaults));
        }

        private static SdkAsyncHttpClient make(Optional<Proxy> proxy, AttributeMap defaults) {
            NettyNioAsyncHttpClient.Builder builder =
                    NettyNioAsyncHttpClient.builder().proxyConfiguration(configuration(proxy));
            CaBundle.named().ifPresent(trusted -> builder.tlsTrustManagersProvider(() -> trusted));
            return builder.buildWithDefaults(defaults);
        }

        private static ProxyConfiguration configuration(Optional<Proxy> proxy) {
            ProxyConfiguration.Builder builder = ProxyConfiguration.builder().useEnvironmentVariableValues(false);
            proxy.ifPresent(through -> {
                builder.useSystemPropertyValues(false)
                        .scheme(through.address.getScheme())
                        .host(through.address.getHost())
                        .port(through.address.getPort());
                through.user.ifPresent(builder::username);
                through.password.ifPresent(builder::password);
            });
            return builder.build();
        }

        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
            return ways.of(request.request()).execute(request);
        }

        @Override
        public String clientName() {
            return "NettyNio";
        }

        @Override
        public void close() {
            ways.close();
        }
    }
}

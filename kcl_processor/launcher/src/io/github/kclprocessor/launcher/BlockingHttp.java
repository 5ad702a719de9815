package io.github.kclprocessor.launcher;

import java.util.Optional;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpService;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.apache.ProxyConfiguration;
import software.amazon.awssdk.utils.AttributeMap;

/** The HTTP of every blocking SDK client of the daemon: it knows the proxies and whom to trust. */
public final class BlockingHttp implements SdkHttpService {
    @Override
    @SuppressWarnings("rawtypes")
    public SdkHttpClient.Builder createHttpClientBuilder() {
        return (SdkHttpClient.Builder) Client::new;
    }

    private static final class Client implements SdkHttpClient {
        private final Ways<SdkHttpClient> ways;

        Client(AttributeMap defaults) {
            ways = new Ways<>(proxy -> make(proxy, defaults));
        }

        private static SdkHttpClient make(Optional<Proxy> proxy, AttributeMap defaults) {
            ApacheHttpClient.Builder builder = ApacheHttpClient.builder().proxyConfiguration(configuration(proxy));
            CaBundle.named().ifPresent(trusted -> builder.tlsTrustManagersProvider(() -> trusted));
            return builder.buildWithDefaults(defaults);
        }

        private static ProxyConfiguration configuration(Optional<Proxy> proxy) {
            ProxyConfiguration.Builder builder = ProxyConfiguration.builder().useEnvironmentVariableValues(false);
            proxy.ifPresent(through -> {
                builder.useSystemPropertyValues(false).endpoint(through.address);
                through.user.ifPresent(user -> builder.username(user).preemptiveBasicAuthenticationEnabled(true));
                through.password.ifPresent(builder::password);
            });
            return builder.build();
        }

        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
            return ways.of(request.httpRequest()).prepareRequest(request);
        }

        @Override
        public String clientName() {
            return "Apache";
        }

        @Override
        public void close() {
            ways.close();
        }
    }
}

package io.github.kclprocessor.launcher;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/** HTTP clients, one for each way that requests take: through a proxy, or directly. */
final class Ways<C extends SdkAutoCloseable> implements SdkAutoCloseable {
    private static final Proxies PROXIES = new Proxies(System.getenv(), System.getProperties());

    private final Map<Optional<Proxy>, C> clients = new ConcurrentHashMap<>();
    private final Function<Optional<Proxy>, C> make;

    Ways(Function<Optional<Proxy>, C> make) {
        this.make = make;
    }

    C of(SdkHttpRequest request) {
        return clients.computeIfAbsent(PROXIES.towards(request.protocol(), request.host(), request.port()), make);
    }

    @Override
    public void close() {
        clients.values().forEach(SdkAutoCloseable::close);
    }
}

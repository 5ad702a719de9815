package io.github.kclprocessor.launcher;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import software.amazon.awssdk.utils.http.SdkHttpUtils;

/**
 * Which proxy a request takes: HTTP_PROXY, HTTPS_PROXY and NO_PROXY as botocore reads them.
 *
 * <p>The SDK's own reading differs: it takes the scheme of the connection <em>to the proxy</em> for
 * the choice of the variable, so that for the usual {@code http://proxy:3128} it never looks at
 * HTTPS_PROXY, and for it {@code example.com} in NO_PROXY is one host and not its whole domain.
 */
final class Proxies {
    private final Map<String, String> environment;
    private final boolean isLeftToFlags;

    /** Flags on the JVM's command line win: the SDK's clients read {@code http.proxyHost} themselves. */
    Proxies(Map<String, String> environment, Properties system) {
        this.environment = environment;
        isLeftToFlags = system.containsKey("http.proxyHost") || system.containsKey("https.proxyHost");
    }

    /** The proxy on the way to an endpoint, if there is one. */
    Optional<Proxy> towards(String scheme, String host, int port) {
        String small = host.toLowerCase(Locale.ROOT);
        // As in a URL, where the port that everybody expects is not written.
        String written = SdkHttpUtils.isUsingStandardPort(scheme, port) ? small : small + ":" + port;
        if (isLeftToFlags || isBypassed(small, written)) {
            return Optional.empty();
        }
        String name = scheme.toLowerCase(Locale.ROOT) + "_proxy";
        return setting(name).map(value -> Proxy.parse(name.toUpperCase(Locale.ROOT), value));
    }

    private boolean isBypassed(String host, String hostAndPort) {
        String listed = setting("no_proxy").orElse("");
        if (listed.equals("*")) {
            return true;
        }
        for (String entry : listed.split(",")) {
            String name = entry.trim().toLowerCase(Locale.ROOT).replaceFirst("^\\.+", "");
            if (!name.isEmpty() && (isUnder(host, name) || isUnder(hostAndPort, name))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isUnder(String host, String name) {
        return host.equals(name) || host.endsWith("." + name);
    }

    /** The small letters win, and empty they unset the capital ones. */
    private Optional<String> setting(String name) {
        String small = environment.get(name);
        String found = small != null ? small : environment.getOrDefault(name.toUpperCase(Locale.ROOT), "");
        return Optional.of(found.trim()).filter(value -> !value.isEmpty());
    }
}

package io.github.kclprocessor.launcher;

import java.net.URI;
import java.util.Map;
import java.util.Properties;

/**
 * Makes HTTPS_PROXY and NO_PROXY hold for every client of the daemon.
 *
 * <p>The SDK's HTTP clients take the scheme of the connection <em>to the proxy</em> for the choice
 * of a setting: for the usual {@code http://proxy:3128} they read {@code http.proxyHost} or
 * HTTP_PROXY, and never HTTPS_PROXY.
 */
final class ProxySettings {
    private ProxySettings() {}

    /** Sets {@code http.proxyHost} and its like, unless the command line has set them. */
    static void apply(Map<String, String> environment, Properties system) {
        String proxy = either(environment, "HTTPS_PROXY", "https_proxy");
        if (proxy == null || system.containsKey("http.proxyHost")) {
            return;
        }
        URI uri = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
        String port = uri.getPort() < 0 ? "80" : String.valueOf(uri.getPort());
        for (String scheme : new String[] {"http", "https"}) {
            system.setProperty(scheme + ".proxyHost", uri.getHost());
            system.setProperty(scheme + ".proxyPort", port);
            setUser(uri, scheme, system);
        }
        String direct = either(environment, "NO_PROXY", "no_proxy");
        system.setProperty("http.nonProxyHosts", direct == null ? "" : javaPatterns(direct));
    }

    private static void setUser(URI proxy, String scheme, Properties system) {
        if (proxy.getUserInfo() != null) {
            String[] user = proxy.getUserInfo().split(":", 2);
            system.setProperty(scheme + ".proxyUser", user[0]);
            system.setProperty(scheme + ".proxyPassword", user.length > 1 ? user[1] : "");
        }
    }

    /** {@code .example.com,10.0.0.1} becomes {@code *.example.com|10.0.0.1}. */
    private static String javaPatterns(String noProxy) {
        StringBuilder patterns = new StringBuilder();
        for (String host : noProxy.split("\\s*,\\s*")) {
            patterns.append(patterns.length() == 0 ? "" : "|").append(host.startsWith(".") ? "*" + host : host);
        }
        return patterns.toString();
    }

    private static String either(Map<String, String> environment, String name, String lowerCase) {
        String value = environment.getOrDefault(name, environment.get(lowerCase));
        return value == null || value.trim().isEmpty() ? null : value.trim();
    }
}

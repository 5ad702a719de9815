package io.github.kclprocessor.launcher;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * A proxy as {@code HTTPS_PROXY} names it: {@code [scheme://][user:password@]host[:port]}.
 *
 * <p>It is no {@link URI}: a password may hold what a URI may not, and an error would quote it.
 */
final class Proxy {
    /** The address, without the user. */
    final URI address;
    final Optional<String> user;
    final Optional<String> password;

    private Proxy(URI address, Optional<String> user, Optional<String> password) {
        this.address = address;
        this.user = user;
        this.password = password;
    }

    /** Reads {@code value}, which the variable {@code name} has. */
    static Proxy parse(String name, String value) {
        int scheme = value.indexOf("//");
        String prefix = scheme < 0 ? "" : value.substring(0, scheme).toLowerCase(Locale.ROOT);
        String authority = value.substring(scheme < 0 ? 0 : scheme + 2).split("/", 2)[0];
        int at = authority.lastIndexOf('@');
        String[] user = at < 0 ? new String[0] : authority.substring(0, at).split(":", 2);
        return new Proxy(
                address(name, prefix.equals("https:") ? "https" : "http", authority.substring(at + 1)),
                user.length == 2 ? Optional.of(decoded(user[0])) : Optional.empty(),
                user.length == 2 ? Optional.of(decoded(user[1])) : Optional.empty());
    }

    private static URI address(String name, String scheme, String hostAndPort) {
        try {
            URI given = URI.create(scheme + "://" + hostAndPort);
            int port = given.getPort() < 0 ? (scheme.equals("https") ? 443 : 80) : given.getPort();
            return URI.create(scheme + "://" + Objects.requireNonNull(given.getHost()) + ":" + port);
        } catch (IllegalArgumentException | NullPointerException e) {
            // Without the cause and the value, which may hold a password.
            throw new IllegalArgumentException(name + " does not name a proxy; it is like http://proxy:3128");
        }
    }

    private static String decoded(String part) {
        try {
            return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return part;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Proxy
                && address.equals(((Proxy) other).address)
                && user.equals(((Proxy) other).user)
                && password.equals(((Proxy) other).password);
    }

    @Override
    public int hashCode() {
        return address.hashCode();
    }
}

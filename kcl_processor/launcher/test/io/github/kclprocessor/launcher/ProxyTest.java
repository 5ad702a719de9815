package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxyTest {
    /** With or without a scheme, a port, a slash; the port is that of the connection to the proxy. */
    @ParameterizedTest
    @CsvSource({
        "proxy, http://proxy:80", "proxy:3128, http://proxy:3128", "//proxy:3128, http://proxy:3128",
        "http://proxy:3128/, http://proxy:3128", "https://proxy, https://proxy:443",
        "http://me:pw@proxy:3128, http://proxy:3128", "http://[::1]:3128, http://[::1]:3128"
    })
    void addresses(String value, String address) {
        assertEquals(address, Proxy.parse("HTTPS_PROXY", value).address.toString());
    }

    /** What is escaped in the user's name or password is unescaped; what cannot be is taken as it is. */
    @ParameterizedTest
    @CsvSource({
        "me:secret, me, secret", "m%40e:a%3Ab, m@e, a:b", "me:a:b, me, a:b", "me:a+b^%zz, me, a+b^%zz", "me:a@b, me, a@b"
    })
    void users(String userInfo, String user, String password) {
        Proxy proxy = Proxy.parse("HTTPS_PROXY", "http://" + userInfo + "@proxy:3128");
        assertEquals(Optional.of(user), proxy.user);
        assertEquals(Optional.of(password), proxy.password);
    }

    /** An error names the variable and shows no password. */
    @Test
    void errorsShowNoPassword() {
        for (String value : new String[] {"http://me:secret@", "http://me:secret@a b", "http://me:secret@proxy:x"}) {
            IllegalArgumentException error =
                    assertThrows(IllegalArgumentException.class, () -> Proxy.parse("HTTPS_PROXY", value));
            assertEquals(true, error.getMessage().contains("HTTPS_PROXY"));
            assertFalse(error.getMessage().contains("secret"));
            assertNull(error.getCause());
        }
    }
}

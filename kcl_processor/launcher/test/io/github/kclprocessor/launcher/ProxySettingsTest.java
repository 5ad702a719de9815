package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class ProxySettingsTest {
    private final Properties system = new Properties();

    /** HTTPS_PROXY and NO_PROXY become the settings that the SDK's clients read. */
    @Test
    void environmentBecomesProperties() {
        ProxySettings.apply(
                Map.of("HTTPS_PROXY", "http://me:secret@proxy:3128", "NO_PROXY", "localhost, .internal"), system);
        assertEquals("proxy", system.getProperty("http.proxyHost"));
        assertEquals("3128", system.getProperty("https.proxyPort"));
        assertEquals("me", system.getProperty("http.proxyUser"));
        assertEquals("localhost|*.internal", system.getProperty("http.nonProxyHosts"));
    }

    /** Flags on the JVM's command line win. */
    @Test
    void propertiesWin() {
        system.setProperty("http.proxyHost", "other");
        ProxySettings.apply(Map.of("https_proxy", "proxy:3128"), system);
        assertEquals(Map.of("http.proxyHost", "other"), system);
    }

    /** Without a proxy nothing is set. */
    @Test
    void nothingToSet() {
        ProxySettings.apply(Map.of("HTTPS_PROXY", " "), system);
        assertEquals(Map.of(), system);
    }
}

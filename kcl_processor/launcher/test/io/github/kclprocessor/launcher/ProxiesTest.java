package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxiesTest {
    private static Optional<URI> towards(Map<String, String> environment, String scheme, String host, int port) {
        return new Proxies(environment, new Properties()).towards(scheme, host, port).map(proxy -> proxy.address);
    }

    /** The endpoint's scheme chooses the variable; DynamoDB Local is not asked for at the HTTPS proxy. */
    @Test
    void eachSchemeHasItsOwn() {
        Map<String, String> environment = Map.of("HTTPS_PROXY", "http://proxy:3128");
        assertEquals(Optional.of(URI.create("http://proxy:3128")), towards(environment, "https", "a.b", 443));
        assertEquals(Optional.empty(), towards(environment, "http", "localhost", 8000));
        assertEquals(Optional.empty(), towards(Map.of(), "https", "a.b", 443));
    }

    /** The small letters win, and empty they unset the capital ones. */
    @Test
    void smallLettersWin() {
        assertEquals(
                Optional.of(URI.create("http://small:80")),
                towards(Map.of("HTTPS_PROXY", "big", "https_proxy", "small"), "https", "a.b", 443));
        assertEquals(
                Optional.empty(), towards(Map.of("HTTPS_PROXY", "big", "https_proxy", ""), "https", "a.b", 443));
    }

    /** The same cases as the record processors' test has: names, suffixes, ports, the star; no networks. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "*; direct", "127.0.0.1; direct", ".0.0.1; direct", "0.0.1; direct", "127.0.0.1:8000; direct",
        "other, 127.0.0.1; direct", "127.0.0.1:1; proxied", "27.0.0.1; proxied", "10.0.0.0/8; proxied",
        "''; proxied", "'other,*'; proxied"
    })
    void noProxyIsReadAsBotocoreReadsIt(String noProxy, String goes) {
        Map<String, String> environment = Map.of("HTTP_PROXY", "proxy", "NO_PROXY", noProxy);
        Optional<URI> proxy = towards(environment, "http", "127.0.0.1", 8000);
        assertEquals(goes, proxy.isPresent() ? "proxied" : "direct");
    }

    /** A domain in NO_PROXY stands for all below it, whatever the case. */
    @Test
    void aDomainStandsForAllBelowIt() {
        Map<String, String> environment = Map.of("HTTPS_PROXY", "proxy", "no_proxy", "Amazonaws.com");
        assertEquals(Optional.empty(), towards(environment, "https", "dynamodb.us-east-1.AMAZONAWS.com", 443));
        assertEquals(true, towards(environment, "https", "notamazonaws.com", 443).isPresent());
    }

    /** Flags on the JVM's command line are left to the SDK. */
    @Test
    void flagsWin() {
        Properties flags = new Properties();
        flags.setProperty("http.proxyHost", "other");
        Proxies proxies = new Proxies(Map.of("HTTPS_PROXY", "proxy"), flags);
        assertEquals(Optional.empty(), proxies.towards("https", "a.b", 443));
    }
}

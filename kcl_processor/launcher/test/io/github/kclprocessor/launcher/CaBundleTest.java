package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import java.security.KeyStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CaBundleTest {
    private static final Function<String, Optional<String>> NO_PROFILE = name -> Optional.empty();

    @TempDir
    Path folder;

    private Path bundle(String name, int certificates) throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        StringBuilder text = new StringBuilder("# Issuer: CN=Some-Authority - with hyphens\n");
        X509Certificate[] known = ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers();
        for (int at = 0; at < certificates; at++) {
            text.append("# Label: \"").append(at).append("\"\n-----BEGIN CERTIFICATE-----\n")
                    .append(Base64.getMimeEncoder().encodeToString(known[at].getEncoded()))
                    .append("\n-----END CERTIFICATE-----\n\n");
        }
        return Files.writeString(folder.resolve(name), text);
    }

    private static int issuers(Optional<TrustManager[]> trusted) {
        return ((X509TrustManager) trusted.orElseThrow()[0]).getAcceptedIssuers().length;
    }

    /** Nobody names a bundle: the JVM's own stays. */
    @Test
    void nothingNamed() {
        assertEquals(Optional.empty(), CaBundle.read(Map.of(), NO_PROFILE));
    }

    /** Those of the bundle alone are trusted, whatever stands between them. */
    @Test
    void aBundleTakesThePlaceOfAllOthers() throws Exception {
        Map<String, String> named = Map.of("AWS_CA_BUNDLE", bundle("three.pem", 3).toString());
        assertEquals(3, issuers(CaBundle.read(named, NO_PROFILE)));
    }

    /** AWS_CA_BUNDLE, then the profile, then REQUESTS_CA_BUNDLE. */
    @Test
    void theOrderIsBotocores() throws Exception {
        String one = bundle("one.pem", 1).toString();
        String two = bundle("two.pem", 2).toString();
        String three = bundle("three.pem", 3).toString();
        Function<String, Optional<String>> profile = name -> Optional.of(two);
        assertEquals(1, issuers(CaBundle.read(Map.of("AWS_CA_BUNDLE", one, "REQUESTS_CA_BUNDLE", three), profile)));
        assertEquals(2, issuers(CaBundle.read(Map.of("REQUESTS_CA_BUNDLE", three), profile)));
        assertEquals(3, issuers(CaBundle.read(Map.of("REQUESTS_CA_BUNDLE", three), NO_PROFILE)));
    }

    /** A bundle that is not there, or holds none, is named at once, as an error of the configuration. */
    @Test
    void unusable() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.pem"), "no certificate");
        for (Path path : new Path[] {empty, folder.resolve("none.pem")}) {
            IllegalArgumentException error = assertThrows(IllegalArgumentException.class,
                    () -> CaBundle.read(Map.of("AWS_CA_BUNDLE", path.toString()), NO_PROFILE));
            assertEquals(true, error.getMessage().contains(path.toString()));
            assertEquals(ExitStatus.CONFIG, Trouble.exitCode(error));
        }
    }
}

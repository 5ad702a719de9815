package io.github.kclprocessor.launcher;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * The certificates that take the place of the JVM's, where they are named: by AWS_CA_BUNDLE, by the
 * profile's {@code ca_bundle}, or by REQUESTS_CA_BUNDLE, in botocore's order. The SDK knows none of them.
 */
final class CaBundle {
    // A bundle has comments and headers between its certificates, which the JDK's reader may stumble over.
    private static final Pattern CERTIFICATE =
            Pattern.compile("-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----");

    private static final class Once {
        static final Optional<TrustManager[]> NAMED = read(System.getenv(), Profile::property);
    }

    private CaBundle() {}

    /**
     * Whom this process trusts, unless that is the JVM's choice.
     *
     * @throws IllegalArgumentException the bundle cannot be used
     */
    static Optional<TrustManager[]> named() {
        return Once.NAMED;
    }

    static Optional<TrustManager[]> read(Map<String, String> environment, Function<String, Optional<String>> profile) {
        Optional<String> path = Optional.ofNullable(environment.get("AWS_CA_BUNDLE"))
                .or(() -> profile.apply("ca_bundle"))
                .or(() -> Optional.ofNullable(environment.get("REQUESTS_CA_BUNDLE")));
        return path.map(CaBundle::trusting);
    }

    private static TrustManager[] trusting(String path) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            Matcher found = CERTIFICATE.matcher(Files.readString(Path.of(path), StandardCharsets.ISO_8859_1));
            while (found.find()) {
                Certificate certificate = factory.generateCertificate(
                        new ByteArrayInputStream(found.group().getBytes(StandardCharsets.ISO_8859_1)));
                store.setCertificateEntry(String.valueOf(store.size()), certificate);
            }
            if (store.size() == 0) {
                throw new IOException("it holds no certificate");
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            return trust.getTrustManagers();
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException("The bundle of certificates " + path + " cannot be used: " + e, e);
        }
    }
}

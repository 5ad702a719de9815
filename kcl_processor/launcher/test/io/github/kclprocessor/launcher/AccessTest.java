package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;

class AccessTest {
    private static final AwsCredentialsProvider DEFAULTS = () -> AwsBasicCredentials.create("DEFAULT", "secret");
    private static final String ROLE = "arn:aws:iam::123456789012:role/";
    private static final Pattern SIGNED = Pattern.compile("Credential=([^/]+)/\\d+/([^/]+)/sts/");

    @TempDir
    Path folder;

    /** What STS was asked: who asks, where, and for what. */
    private final List<String> asked = new ArrayList<>();
    private HttpServer sts;

    @BeforeEach
    void serve() throws IOException {
        sts = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        sts.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            Matcher signed = SIGNED.matcher(exchange.getRequestHeaders().getFirst("Authorization"));
            assertTrue(signed.find());
            asked.add(signed.group(1) + " in " + signed.group(2) + ": " + said(body, "RoleArn").replace(ROLE, "")
                    + " " + said(body, "ExternalId") + " " + said(body, "RoleSessionName"));
            byte[] answer = answer(said(body, "RoleArn").replace(ROLE, "")).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        sts.start();
        System.setProperty("aws.endpointUrlSts", "http://127.0.0.1:" + sts.getAddress().getPort());
        System.setProperty("aws.disableEc2Metadata", "true");
    }

    @AfterEach
    void forget() {
        sts.stop(0);
        for (String name : List.of(
                "aws.endpointUrlSts", "aws.disableEc2Metadata", "aws.sharedCredentialsFile", "aws.configFile")) {
            System.clearProperty(name);
        }
    }

    private static String said(String body, String name) {
        for (String pair : body.split("&")) {
            if (pair.startsWith(name + "=")) {
                return URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8);
            }
        }
        return "-";
    }

    private static String answer(String key) {
        return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" + key + "</AccessKeyId>"
                + "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>"
                + Instant.now().plus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS)
                + "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    }

    private static Access access(String... properties) {
        Properties given = new Properties();
        for (int i = 0; i < properties.length; i += 2) {
            given.setProperty("replica.source." + properties[i], properties[i + 1]);
        }
        return new ReplicaProperties(given).access("source");
    }

    private static AwsCredentials of(Access access) {
        return access.credentials(Region.EU_WEST_1, DEFAULTS).resolveCredentials();
    }

    private void shared(String... profiles) throws IOException {
        System.setProperty("aws.configFile",
                Files.writeString(folder.resolve("config"), String.join("\n", profiles)).toString());
        System.setProperty("aws.sharedCredentialsFile",
                Files.writeString(folder.resolve("credentials"), "").toString());
    }

    /** Without a word the credentials are those that the others use. */
    @Test
    void nothing() {
        assertTrue(access().isDefault());
        assertSame(DEFAULTS, access().credentials(Region.EU_WEST_1, DEFAULTS));
        assertTrue(access("sessionName", "alone").isDefault());
    }

    /** One role under the names that an only one always had. */
    @Test
    void role() {
        Access access = access("roleArn", ROLE + "writer", "externalId", "x,1|2");
        assertFalse(access.isDefault());
        assertEquals("writer", of(access).accessKeyId());
        assertEquals(List.of("DEFAULT in eu-west-1: writer x,1|2 kcl-processor"), asked);
    }

    /** A chain: each role is assumed with the one before it, with its own external id. */
    @Test
    void chain() {
        Access access = access("roleArn", ROLE + "hub", "roleArn.2", ROLE + "spoke", "externalId.2", "two",
                "roleArn.3", ROLE + "writer", "sessionName", "replica-1");
        assertEquals("writer", of(access).accessKeyId());
        // The SDK asks from the end: whose keys are wanted first is asked last.
        assertEquals(List.of("DEFAULT in eu-west-1: hub - replica-1", "hub in eu-west-1: spoke two replica-1",
                "spoke in eu-west-1: writer - replica-1"), asked);
    }

    /** A profile stands in the place of the default chain, under roles, too. */
    @Test
    void profile() throws Exception {
        shared("[profile store]", "aws_access_key_id = STORE", "aws_secret_access_key = secret", "");
        assertEquals("STORE", of(access("profile", "store")).accessKeyId());
        assertEquals("writer", of(access("profile", "store", "roleArn", ROLE + "writer")).accessKeyId());
        assertEquals(List.of("STORE in eu-west-1: writer - kcl-processor"), asked);
    }

    /** A role that the profile itself names is asked for where the side is, whatever region the profile has. */
    @Test
    void profilesRole() throws Exception {
        shared("[profile base]", "aws_access_key_id = BASE", "aws_secret_access_key = secret",
                "[profile far]", "role_arn = " + ROLE + "reader", "source_profile = base", "region = us-east-2",
                "role_session_name = mine", "");
        assertEquals("reader", of(access("profile", "far")).accessKeyId());
        assertEquals(List.of("BASE in eu-west-1: reader - mine"), asked);
    }

    /** A profile that is not there is no reason to take other credentials. */
    @Test
    void missingProfile() throws Exception {
        shared("[default]", "aws_access_key_id = OTHER", "aws_secret_access_key = secret", "");
        SdkClientException error =
                assertThrows(SdkClientException.class, () -> of(access("profile", "store")));
        assertTrue(error.getMessage().contains("store"), error.getMessage());
    }

    /** A role's session that is refused is asked for again. */
    @Test
    void refusedRole() {
        AwsCredentialsProvider credentials =
                access("roleArn", ROLE + "writer").credentials(Region.EU_WEST_1, DEFAULTS);
        FollowedCredentials followed = assertInstanceOf(FollowedCredentials.class, credentials);
        long now = System.nanoTime();
        followed.chain(now).resolveCredentials();
        followed.chain(now).resolveCredentials();
        assertEquals(1, asked.size());
        FollowedCredentials.refused();
        followed.chain(now + 6_000_000_000L).resolveCredentials();
        assertEquals(2, asked.size());
    }

    /** Sections do not share what is said of one. */
    @Test
    void sections() {
        Properties given = new Properties();
        given.setProperty("replica.metrics.roleArn", ROLE + "writer");
        ReplicaProperties replica = new ReplicaProperties(given);
        assertFalse(replica.access("metrics").isDefault());
        for (String other : List.of("source", "destination", "kcl")) {
            assertTrue(replica.access(other).isDefault());
        }
        assertSame(AnonymousCredentialsProvider.class,
                replica.access("kcl").credentials(Region.EU_WEST_1, AnonymousCredentialsProvider.create()).getClass());
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;

class FollowedCredentialsTest {
    private static final long HOUR = Duration.ofHours(1).toNanos();

    @TempDir
    Path folder;

    @AfterEach
    void forget() {
        for (String name : List.of("aws.sharedCredentialsFile", "aws.configFile", "aws.disableEc2Metadata")) {
            System.clearProperty(name);
        }
    }

    private Path file(String property, String content) throws IOException {
        Path file = Files.writeString(folder.resolve(property), content);
        System.setProperty(property, file.toString());
        System.setProperty("aws.disableEc2Metadata", "true");
        return file;
    }

    private static String keys(String id) {
        return "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = secret\n";
    }

    /** A shared file that is written anew is read again, without a refusal and without a restart. */
    @Test
    void aRenewedFileIsReadAgain() throws Exception {
        Path shared = file("aws.sharedCredentialsFile", keys("OLD"));
        FollowedCredentials credentials = new FollowedCredentials();
        assertEquals("OLD", credentials.resolveCredentials().accessKeyId());
        Files.writeString(shared, keys("NEWER"));
        // The SDK asks whether the file is younger than its last look, and a file's time is coarser.
        Files.setLastModifiedTime(shared, FileTime.from(Instant.now().plusSeconds(1)));
        long patience = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (credentials.resolveCredentials().accessKeyId().equals("OLD") && System.nanoTime() < patience) {
            Thread.onSpinWait();
        }
        assertEquals("NEWER", credentials.resolveCredentials().accessKeyId());
    }

    /** A profile of IAM Identity Center is understood: its login is missing, and no module of the SDK. */
    @Test
    void aLoginsProfileIsUnderstood() throws Exception {
        file("aws.configFile", String.join("\n",
                "[default]", "sso_session = work", "sso_account_id = 123456789012", "sso_role_name = role",
                "[sso-session work]", "sso_region = us-east-1", "sso_start_url = https://example.com/start", ""));
        SdkClientException error =
                assertThrows(SdkClientException.class, () -> new FollowedCredentials().resolveCredentials());
        assertFalse(error.getMessage().contains("class path"), error.getMessage());
        assertTrue(error.getMessage().contains("Token") || error.getMessage().contains("token"), error.getMessage());
    }

    /** After a refusal the source is looked up again, once for all who were refused at the time. */
    @Test
    void refusedCredentialsAreLookedUpAgain() {
        List<AwsCredentialsProvider> looks = new ArrayList<>();
        FollowedCredentials credentials = new FollowedCredentials(() -> {
            looks.add(AnonymousCredentialsProvider.create());
            return looks.get(looks.size() - 1);
        }, 1);
        credentials.chain(HOUR);
        credentials.chain(2 * HOUR);
        assertEquals(1, looks.size());
        FollowedCredentials.refused();
        FollowedCredentials.refused();
        credentials.chain(3 * HOUR);
        FollowedCredentials.refused();
        credentials.chain(3 * HOUR + 1);
        assertEquals(2, looks.size());
        credentials.chain(4 * HOUR);
        assertEquals(3, looks.size());
    }

    /** A source that is busy is asked again, as often as is said, and not more. */
    @Test
    void aSourceIsAskedMoreThanOnce() {
        int[] asked = new int[1];
        AwsCredentialsProvider third = () -> {
            if (++asked[0] % 3 != 0) {
                throw SdkClientException.create("busy");
            }
            return AwsBasicCredentials.create("THIRD", "secret");
        };
        assertEquals("THIRD", new FollowedCredentials(() -> third, 3).resolveCredentials().accessKeyId());
        assertThrows(SdkClientException.class, () -> new FollowedCredentials(() -> third, 2).resolveCredentials());
        assertEquals(5, asked[0]);
    }

    /** What was replaced is closed when nobody can be using it any more. */
    @Test
    void theChainBeforeTheLastIsClosed() {
        List<String> closed = new ArrayList<>();
        int[] made = new int[1];
        FollowedCredentials credentials = new FollowedCredentials(() -> new Closeable(++made[0], closed), 1);
        for (int hour = 1; hour <= 3; hour++) {
            credentials.chain(hour * HOUR);
            FollowedCredentials.refused();
        }
        assertEquals(List.of("1"), closed);
    }

    private static final class Closeable implements AwsCredentialsProvider, AutoCloseable {
        private final int number;
        private final List<String> closed;

        Closeable(int number, List<String> closed) {
            this.number = number;
            this.closed = closed;
        }

        @Override
        public AwsCredentials resolveCredentials() {
            throw new IllegalStateException("nobody asks");
        }

        @Override
        public void close() {
            closed.add(String.valueOf(number));
        }
    }
}

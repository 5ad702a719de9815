package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.utils.IoUtils;

/**
 * Credentials that follow their source: the SDK's own default chain reads the shared files once, and keeps
 * the keys of a program that tells no expiry for ever.
 *
 * <p>The properties file names it for the KCL, which makes one of the default chain for each of its clients.
 */
public final class FollowedCredentials implements AwsCredentialsProvider {
    /** Between two looks, for a look may be a call of STS, or a program of the operator's. */
    private static final long PAUSE_NANOS = Duration.ofSeconds(5).toNanos();
    private static final AtomicLong REFUSALS = new AtomicLong();

    private final Supplier<AwsCredentialsProvider> look;
    private final int attempts;
    private AwsCredentialsProvider chain;
    /** Still in the hands of requests that were under way when it was replaced. */
    private AwsCredentialsProvider previous;
    private long lookedAt;
    private long refusals;

    public FollowedCredentials() {
        this(
                () -> AwsSettings.roleOfProfileFirst(System.getenv(), Profile::property)
                        ? ProfileCredentialsProvider.builder()
                                .profileFile(Profile.files())
                                .build()
                        : DefaultCredentialsProvider.builder()
                                .profileFile(Profile.files())
                                .build(),
                attempts());
    }

    /** A profile of the shared files, whatever else the environment and the host have. */
    static FollowedCredentials ofProfile(String name, Region region) {
        return new FollowedCredentials(
                // With files of its own, for those before may have been read just now.
                () -> ProfileCredentialsProvider.builder()
                        .profileName(name)
                        .profileFile(Profile.files(region))
                        .build(),
                attempts());
    }

    /** What renews itself in time, but is to be made anew when it is refused. */
    static FollowedCredentials of(Supplier<AwsCredentialsProvider> look) {
        return new FollowedCredentials(look, 1);
    }

    private static int attempts() {
        return AwsSettings.metadataAttempts(System.getenv(), Profile::property);
    }

    FollowedCredentials(Supplier<AwsCredentialsProvider> look, int attempts) {
        this.look = look;
        this.attempts = attempts;
    }

    /** AWS refused somebody's credentials. */
    static void refused() {
        REFUSALS.incrementAndGet();
    }

    @Override
    public AwsCredentials resolveCredentials() {
        for (int attempt = 1; attempt < attempts; attempt++) {
            try {
                return chain(System.nanoTime()).resolveCredentials();
            } catch (SdkClientException e) {
                // Metadata that are busy look as if they were not there.
                continue;
            }
        }
        return chain(System.nanoTime()).resolveCredentials();
    }

    synchronized AwsCredentialsProvider chain(long now) {
        if (chain == null || (refusals != REFUSALS.get() && now - lookedAt > PAUSE_NANOS)) {
            IoUtils.closeIfCloseable(previous, null);
            previous = chain;
            refusals = REFUSALS.get();
            lookedAt = now;
            chain = look.get();
        }
        return chain;
    }
}

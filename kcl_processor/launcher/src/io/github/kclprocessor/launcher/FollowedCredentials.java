package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.profiles.ProfileFileSupplier;
import software.amazon.awssdk.utils.IoUtils;

/**
 * The default chain, which follows its source: the SDK's own reads the shared files once, and keeps the
 * keys of a program that tells no expiry for ever.
 *
 * <p>The properties file names it for the KCL, which makes one for each of its clients.
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
                () -> DefaultCredentialsProvider.builder()
                        .profileFile(ProfileFileSupplier.defaultSupplier())
                        .build(),
                AwsSettings.metadataAttempts(System.getenv(), Profile::property));
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

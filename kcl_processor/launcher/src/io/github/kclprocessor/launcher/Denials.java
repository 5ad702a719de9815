package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * Ends the daemon when the stream may no longer be read; the KCL would ask again for ever.
 *
 * <p>A denied action needs a person at once. Credentials that are refused may be renewed by whoever
 * renews them, as the record processors wait for theirs.
 */
final class Denials {
    private static final long PATIENCE_NANOS = Duration.ofMinutes(5).toNanos();

    private final IntConsumer exit;
    private final LongSupplier nanos;
    private long refusedSince;
    private boolean refused;

    Denials(IntConsumer exit, LongSupplier nanos) {
        this.exit = exit;
        this.nanos = nanos;
    }

    /** A call succeeded. */
    synchronized void passed() {
        refused = false;
    }

    /** A call failed, for whatever reason. */
    void failed(String action, String stream, AwsServiceException failure) {
        if (Trouble.exitCode(failure) != ExitStatus.PERMISSION) {
            return;
        }
        boolean denied = failure.awsErrorDetails() != null
                && String.valueOf(failure.awsErrorDetails().errorCode()).startsWith("AccessDenied");
        if (denied || outlasted()) {
            Connectors.LOG.error("{} on {} is denied ({}). Try: allow {} for these credentials, then start again",
                    action, stream, failure.getMessage(), action);
            exit.accept(ExitStatus.PERMISSION);
        }
    }

    private synchronized boolean outlasted() {
        long now = nanos.getAsLong();
        if (!refused) {
            refused = true;
            refusedSince = now;
        }
        return now - refusedSince > PATIENCE_NANOS;
    }
}

package io.github.kclprocessor.launcher;

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
        if (ErrorCodes.isDenied(failure)) {
            Connectors.LOG.error("{} on {} is denied ({}). Try: allow {} for these credentials, then start again",
                    action, stream, failure.getMessage(), action);
            exit.accept(ExitStatus.PERMISSION);
        } else if (ErrorCodes.isRefused(failure) && outlasted()) {
            Connectors.LOG.error("The credentials for {} on {} have been refused for {} s ({})."
                            + " Try: renew the credentials, check this host's clock, then start again",
                    action, stream, ErrorCodes.RENEWAL.toSeconds(), failure.getMessage());
            exit.accept(ExitStatus.PERMISSION);
        }
    }

    private synchronized boolean outlasted() {
        long now = nanos.getAsLong();
        if (!refused) {
            refused = true;
            refusedSince = now;
        }
        return now - refusedSince > ErrorCodes.RENEWAL.toNanos();
    }
}

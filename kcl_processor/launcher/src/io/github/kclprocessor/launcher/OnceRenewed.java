package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.function.LongSupplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * A start that waits for credentials to be renewed, as a daemon that runs does. A supervisor leaves one
 * stopped that ended with the code for refused credentials.
 */
final class OnceRenewed {
    private static final Duration PAUSE = Duration.ofSeconds(5);

    private OnceRenewed() {}

    /** A part of a start; it may be taken again, however far it came. */
    interface Step {
        void take() throws Exception;
    }

    /**
     * Takes a step, again and again while the credentials are refused.
     *
     * @throws Exception what the step throws of another kind, or after the time that a renewal may take
     */
    static void take(Step step, Presence.Wait wait, LongSupplier nanos) throws Exception {
        long began = nanos.getAsLong();
        boolean told = false;
        while (true) {
            try {
                step.take();
                return;
            } catch (Exception e) {
                if (!isRefused(e) || nanos.getAsLong() - began >= ErrorCodes.RENEWAL.toNanos()) {
                    throw e;
                }
                if (!told) {
                    told = true;
                    Connectors.LOG.warn("The credentials are refused ({}). They may be being renewed: {} s for that.",
                            e.getMessage(), ErrorCodes.RENEWAL.toSeconds());
                }
            }
            wait.millis(PAUSE.toMillis());
        }
    }

    /** The KCL wraps what the SDK throws. */
    private static boolean isRefused(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof AwsServiceException && ErrorCodes.isRefused((AwsServiceException) cause)) {
                return true;
            }
        }
        return false;
    }
}

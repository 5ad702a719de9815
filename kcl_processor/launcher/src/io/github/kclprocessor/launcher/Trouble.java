package io.github.kclprocessor.launcher;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;

/** Which exit code a failure at start means. */
final class Trouble {
    private Trouble() {}

    static int exitCode(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof Refused) {
                return ((Refused) cause).exitCode;
            }
            if (isPermission(cause)) {
                return ExitStatus.PERMISSION;
            }
            if (cause instanceof ResourceNotFoundException) {
                return ExitStatus.SOURCE;
            }
            if (cause instanceof IllegalArgumentException) {
                return ExitStatus.CONFIG;
            }
        }
        return ExitStatus.CRASH;
    }

    private static boolean isPermission(Throwable thrown) {
        if (!(thrown instanceof AwsServiceException)) {
            // What the chain of providers throws has no class of its own.
            return String.valueOf(thrown.getMessage()).startsWith("Unable to load credentials");
        }
        AwsServiceException refusal = (AwsServiceException) thrown;
        return ErrorCodes.isDenied(refusal) || ErrorCodes.isRefused(refusal);
    }
}

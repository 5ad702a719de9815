package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Set;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * The error codes with which AWS refuses whoever calls. {@code kcl_processor/aws/codes.py} says of each
 * list why; the record processors go by it, and a test holds the two equal.
 */
final class ErrorCodes {
    /** Good credentials that may not do this: a person is needed. */
    static final Set<String> DENIED = Set.of(
            "AccessDeniedException",
            "AccessDenied",
            "NotAuthorized",
            "OptInRequired",
            "RegionDisabledException");
    /** The credentials themselves are refused, which whoever renews them may be about to do. */
    static final Set<String> RENEW = Set.of(
            "ExpiredToken",
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "RequestTimeTooSkewed");
    /** How long refused credentials may take to be renewed. */
    static final Duration RENEWAL = Duration.ofMinutes(5);

    private ErrorCodes() {}

    static boolean isDenied(AwsServiceException failure) {
        return DENIED.contains(code(failure));
    }

    static boolean isRefused(AwsServiceException failure) {
        return RENEW.contains(code(failure));
    }

    /** Empty for an answer that is not AWS's, such as a proxy's. */
    static String code(AwsServiceException failure) {
        AwsErrorDetails details = failure.awsErrorDetails();
        return details == null || details.errorCode() == null ? "" : details.errorCode();
    }
}

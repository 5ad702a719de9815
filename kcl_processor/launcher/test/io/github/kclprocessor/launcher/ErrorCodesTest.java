package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;

class ErrorCodesTest {
    private static AwsServiceException refusal(String code) {
        AwsErrorDetails details = code == null ? null
                : AwsErrorDetails.builder().errorCode(code).errorMessage("no").build();
        return (AwsServiceException)
                DynamoDbException.builder().statusCode(403).awsErrorDetails(details).build();
    }

    /** Each refusal that is listed ends a start with the code for permissions. */
    @Test
    void listedCodes() {
        for (String code : ErrorCodes.DENIED) {
            assertTrue(ErrorCodes.isDenied(refusal(code)) && !ErrorCodes.isRefused(refusal(code)), code);
            assertEquals(ExitStatus.PERMISSION, Trouble.exitCode(new RuntimeException(refusal(code))), code);
        }
        for (String code : ErrorCodes.RENEW) {
            assertTrue(ErrorCodes.isRefused(refusal(code)) && !ErrorCodes.isDenied(refusal(code)), code);
            assertEquals(ExitStatus.PERMISSION, Trouble.exitCode(new RuntimeException(refusal(code))), code);
        }
    }

    /** An answer without a code, such as a proxy's, or with another one says nothing about permissions. */
    @Test
    void anythingElse() {
        for (String code : new String[] {null, "", "AccessDeniedLater", "InternalServerError"}) {
            assertFalse(ErrorCodes.isDenied(refusal(code)) || ErrorCodes.isRefused(refusal(code)), code);
            assertEquals(ExitStatus.CRASH, Trouble.exitCode(refusal(code)), code);
        }
    }
}

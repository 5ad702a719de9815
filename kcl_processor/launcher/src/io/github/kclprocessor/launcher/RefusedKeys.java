package io.github.kclprocessor.launcher;

import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;

/** Hears of refused credentials from every SDK client of the daemon, the KCL's among them. */
public final class RefusedKeys implements ExecutionInterceptor {
    @Override
    public void onExecutionFailure(Context.FailedExecution context, ExecutionAttributes attributes) {
        Throwable failure = context.exception();
        if (failure instanceof AwsServiceException && ErrorCodes.isRefused((AwsServiceException) failure)) {
            FollowedCredentials.refused();
        }
    }
}

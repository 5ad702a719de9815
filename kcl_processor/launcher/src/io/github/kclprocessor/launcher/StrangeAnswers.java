package io.github.kclprocessor.launcher;

import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;

/**
 * Refuses what answers with 200 and is not DynamoDB Streams, as a proxy or a portal may.
 *
 * <p>The SDK reads any JSON, and takes what is missing for absent: records without an iterator for more
 * are the end of a shard, which is recorded for good.
 */
final class StrangeAnswers implements ExecutionInterceptor {
    @Override
    public void afterUnmarshalling(Context.AfterUnmarshalling context, ExecutionAttributes attributes) {
        if (!isWhole(context.response())) {
            // The SDK tries again, as after any answer that it cannot read.
            throw RetryableException.create("An answer with status 200 to a "
                    + context.request().getClass().getSimpleName() + " is not DynamoDB's: what it always has is missing");
        }
    }

    private static boolean isWhole(SdkResponse response) {
        if (response instanceof GetRecordsResponse) {
            return ((GetRecordsResponse) response).hasRecords();
        }
        if (response instanceof GetShardIteratorResponse) {
            return ((GetShardIteratorResponse) response).shardIterator() != null;
        }
        if (response instanceof DescribeStreamResponse) {
            return ((DescribeStreamResponse) response).streamDescription() != null;
        }
        return true;
    }
}

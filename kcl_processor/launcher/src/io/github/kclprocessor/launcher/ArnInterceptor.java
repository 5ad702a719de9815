package io.github.kclprocessor.launcher;

import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;

/** Turns the adapter's form of a stream's ARN into the real one in requests, and back in responses. */
final class ArnInterceptor implements ExecutionInterceptor {
    private final StreamArn arn;

    ArnInterceptor(StreamArn arn) {
        this.arn = arn;
    }

    @Override
    public SdkRequest modifyRequest(Context.ModifyRequest context, ExecutionAttributes attributes) {
        SdkRequest request = context.request();
        if (request instanceof DescribeStreamRequest) {
            return ((DescribeStreamRequest) request).toBuilder().streamArn(arn.real).build();
        }
        if (request instanceof GetShardIteratorRequest) {
            return ((GetShardIteratorRequest) request).toBuilder().streamArn(arn.real).build();
        }
        return request;
    }

    @Override
    public SdkResponse modifyResponse(Context.ModifyResponse context, ExecutionAttributes attributes) {
        if (!(context.response() instanceof DescribeStreamResponse)) {
            return context.response();
        }
        DescribeStreamResponse response = (DescribeStreamResponse) context.response();
        StreamDescription description = response.streamDescription();
        return response.toBuilder()
                .streamDescription(
                        description.toBuilder().streamArn(arn.forAdapter()).build())
                .build();
    }
}

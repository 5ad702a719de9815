package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.InterceptorContext;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;

class StrangeAnswersTest {
    private static void look(SdkResponse response) {
        InterceptorContext context = InterceptorContext.builder()
                .request(GetRecordsRequest.builder().build()).response(response).build();
        new StrangeAnswers().afterUnmarshalling(context, new ExecutionAttributes());
    }

    /** JSON of something else, answered with 200, would read as the end of a shard. */
    @Test
    void whatIsNotTheServicesIsRefused() {
        for (SdkResponse strange : List.of(
                GetRecordsResponse.builder().build(),
                GetRecordsResponse.builder().nextShardIterator("next").build(),
                GetShardIteratorResponse.builder().build(),
                DescribeStreamResponse.builder().build())) {
            RetryableException thrown = assertThrows(RetryableException.class, () -> look(strange));
            assertEquals(true, thrown.getMessage().contains("is not DynamoDB's"));
        }
    }

    /** The end of a shard, and a stream that has no shards yet. */
    @Test
    void whatTheServiceSaysPasses() {
        look(GetRecordsResponse.builder().records(List.of()).build());
        look(GetShardIteratorResponse.builder().shardIterator("first").build());
        look(DescribeStreamResponse.builder()
                .streamDescription(StreamDescription.builder().streamArn("arn").build()).build());
    }
}

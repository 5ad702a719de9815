package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.interceptor.InterceptorContext;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;

class StreamArnTest {
    private static final String LOCAL =
            "arn:aws:dynamodb:ddblocal:000000000000:table/t/stream/2026-01-01T00:00:00.000";
    private static final String ADAPTED =
            "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000";

    private final ArnInterceptor interceptor = new ArnInterceptor(new StreamArn(LOCAL));

    private SdkRequest sent(SdkRequest request) {
        return interceptor.modifyRequest(InterceptorContext.builder().request(request).build(), null);
    }

    /** The ARN of a region that the SDK lists is left alone. */
    @Test
    void knownRegionIsKept() {
        StreamArn arn = new StreamArn(ADAPTED.replace("us-east-1", "eu-west-1"));
        assertTrue(arn.isKnownToAdapter());
        assertEquals(arn.real, arn.forAdapter());
        assertEquals("eu-west-1", arn.region().id());
    }

    /** A region that the adapter would refuse is stood in for. */
    @Test
    void unknownRegionIsReplaced() {
        assertEquals(ADAPTED, new StreamArn(LOCAL).forAdapter());
    }

    /** Text that is no ARN is refused with the property's name. */
    @Test
    void otherTextIsRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new StreamArn("orders"))
                .getMessage().startsWith("streamName"));
    }

    /** Requests go out with the service's ARN. */
    @Test
    void requestsCarryTheRealArn() {
        List<String> arns = new ArrayList<>();
        arns.add(((DescribeStreamRequest) sent(DescribeStreamRequest.builder().streamArn(ADAPTED).build())).streamArn());
        arns.add(((GetShardIteratorRequest) sent(GetShardIteratorRequest.builder().streamArn(ADAPTED).build())).streamArn());
        assertEquals(List.of(LOCAL, LOCAL), arns);
    }

    /** A response comes back with the adapter's ARN, and all the rest that it held. */
    @Test
    void responsesCarryTheAdaptersArn() {
        SdkResponse response = DescribeStreamResponse.builder()
                .streamDescription(stream -> stream.streamArn(LOCAL).shards(shard -> shard.shardId("shardId-1")))
                .build();
        DescribeStreamResponse received = (DescribeStreamResponse) interceptor.modifyResponse(
                InterceptorContext.builder().request(DescribeStreamRequest.builder().build()).response(response).build(),
                null);
        assertEquals(ADAPTED, received.streamDescription().streamArn());
        assertEquals("shardId-1", received.streamDescription().shards().get(0).shardId());
    }
}

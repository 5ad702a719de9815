package io.github.kclprocessor.launcher;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Answers with an iterator named after what was asked, and with what is queued for reads. */
final class FakeStream implements DynamoDbStreamsClient {
    static final RuntimeException TRIMMED =
            TrimmedDataAccessException.builder().message("beyond the \"trim\" horizon").build();
    static final RuntimeException GONE = ResourceNotFoundException.builder().message("no such shard").build();

    static final String LOOK = "the oldest left";

    final List<RuntimeException> iteratorFailures = new ArrayList<>();
    final List<Object> reads = new ArrayList<>();
    /** What an iterator at a sequence number fails with. */
    final Map<String, RuntimeException> failuresAt = new HashMap<>();
    /** What a look at the oldest change that is left finds. */
    GetRecordsResponse oldestLeft = GetRecordsResponse.builder().build();
    /** How many looks before that find a page with nothing in it, though the shard goes on. */
    int emptyLooks;
    /** Null for a stream that is gone. */
    StreamStatus status = StreamStatus.ENABLED;
    List<Shard> shards = List.of();
    int shardsAPage = 100;
    /** What comes while the stream is described, if anything. */
    Runnable meanwhile;
    /** How often it was. */
    int described;
    /** Whether the shard is gone once the queued reads are. */
    boolean goneAfterReads;
    /** Iterators by their names, and looks at the oldest change that is left. */
    final List<String> asked = new ArrayList<>();

    static RuntimeException refusal(String code) {
        return DynamoDbException.builder().statusCode(400)
                .awsErrorDetails(AwsErrorDetails.builder().errorCode(code).errorMessage("no").build()).build();
    }

    static Shard shard(String id, String parent) {
        return Shard.builder().shardId(id).parentShardId(parent)
                .sequenceNumberRange(range -> range.startingSequenceNumber("100")).build();
    }

    @Override
    public GetShardIteratorResponse getShardIterator(GetShardIteratorRequest request) {
        String name = request.shardIteratorTypeAsString() + "/" + request.sequenceNumber();
        asked.add(name);
        if (failuresAt.containsKey(name)) {
            throw failuresAt.get(name);
        }
        if (goneAfterReads && reads.isEmpty()) {
            throw GONE;
        }
        if (!iteratorFailures.isEmpty()) {
            throw iteratorFailures.remove(0);
        }
        return GetShardIteratorResponse.builder().shardIterator(name).build();
    }

    @Override
    public GetRecordsResponse getRecords(GetRecordsRequest request) {
        if (Integer.valueOf(1).equals(request.limit())) {
            asked.add(LOOK);
            return emptyLooks-- > 0 ? GetRecordsResponse.builder().nextShardIterator("further on").build() : oldestLeft;
        }
        Object next = reads.remove(0);
        if (next instanceof RuntimeException) {
            throw (RuntimeException) next;
        }
        return (GetRecordsResponse) next;
    }

    @Override
    public DescribeStreamResponse describeStream(DescribeStreamRequest request) {
        described++;
        Runnable comes = meanwhile;
        meanwhile = null;
        if (comes != null) {
            comes.run();
        }
        if (status == null) {
            throw GONE;
        }
        int from = 0;
        while (request.exclusiveStartShardId() != null
                && !shards.get(from++).shardId().equals(request.exclusiveStartShardId())) {}
        int to = Math.min(shards.size(), from + shardsAPage);
        return DescribeStreamResponse.builder().streamDescription(StreamDescription.builder()
                .streamArn(request.streamArn()).streamStatus(status).shards(shards.subList(from, to))
                .lastEvaluatedShardId(to < shards.size() ? shards.get(to - 1).shardId() : null).build()).build();
    }

    @Override
    public String serviceName() {
        return "fake";
    }

    @Override
    public void close() {}
}

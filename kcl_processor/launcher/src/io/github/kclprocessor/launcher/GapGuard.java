package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsGetRecordsResponseAdapter;
import com.amazonaws.services.dynamodbv2.streamsadapter.util.AmazonServiceExceptionTransformer;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

/**
 * The adapter's client, which calls a gap a gap.
 *
 * <p>On its own the adapter either skips trimmed changes with a warning or retries them for ever,
 * and takes a shard that no longer exists for one that was read to its end
 * ({@code DynamoDBStreamsDataFetcher}). All of it reaches the fetcher through the two calls below.
 *
 * <p>They run on the calling thread, which waits for them anyway. The adapter runs them on the
 * common pool, where on a machine with four cores three slow reads keep every other shard waiting.
 */
final class GapGuard extends AmazonDynamoDBStreamsAdapterClient {
    private static final SkipRecordsBehavior NEVER_SKIP = SkipRecordsBehavior.KCL_RETRY;

    private final DynamoDbStreamsClient client;
    private final Gaps gaps;
    private final Denials denials;
    private final Positions positions = new Positions();

    GapGuard(DynamoDbStreamsClient client, Region region, Gaps gaps, Denials denials) {
        super(client, region);
        this.client = client;
        this.gaps = gaps;
        this.denials = denials;
        setSkipRecordsBehavior(NEVER_SKIP);
    }

    @Override
    public CompletableFuture<GetShardIteratorResponse> getShardIterator(GetShardIteratorRequest request) {
        return done("dynamodb:GetShardIterator", () -> {
            try {
                return iterator(request);
            } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
                gaps.found(gap(request, Positions.checkpoint(request), null), e);
                return iterator(oldestLeft(request));
            }
        }, AmazonServiceExceptionTransformer::transformDynamoDBStreamsToKinesisGetShardIterator);
    }

    @Override
    public CompletableFuture<DynamoDBStreamsGetRecordsResponseAdapter> getDynamoDBStreamsRecords(
            GetRecordsRequest request) {
        return done("dynamodb:GetRecords", () -> {
            Positions.Position position = positions.of(request.shardIterator());
            try {
                return records(request, position);
            } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
                gaps.found(gap(position.request, position.checkpoint, position.lastRead), e);
                String iterator = iterator(oldestLeft(position.request)).shardIterator();
                return records(request.toBuilder().shardIterator(iterator).build(), positions.of(iterator));
            }
        }, AmazonServiceExceptionTransformer::transformDynamoDBStreamsToKinesisGetRecords);
    }

    private GetShardIteratorResponse iterator(GetShardIteratorRequest request) {
        String iterator = client.getShardIterator(ask -> ask.streamArn(request.streamName())
                        .shardId(request.shardId())
                        .shardIteratorType(request.shardIteratorTypeAsString())
                        .sequenceNumber(request.startingSequenceNumber())
                        .overrideConfiguration(request.overrideConfiguration().orElse(null)))
                .shardIterator();
        positions.start(iterator, request);
        return GetShardIteratorResponse.builder().shardIterator(iterator).build();
    }

    private RememberedRecords records(GetRecordsRequest request, Positions.Position position) {
        AtomicReference<RawRecords> raw = new AtomicReference<>();
        GetRecordsResponse response = client.getRecords(RawAnswers.ask(request, raw));
        RememberedRecords read = new RememberedRecords(response, raw.get());
        positions.advance(request.shardIterator(), position, read);
        return read;
    }

    private static GetShardIteratorRequest oldestLeft(GetShardIteratorRequest request) {
        return request.toBuilder()
                .shardIteratorType(ShardIteratorType.TRIM_HORIZON)
                .startingSequenceNumber(null)
                .build();
    }

    private Gap gap(GetShardIteratorRequest request, String checkpoint, Instant lastRead) {
        return new Gap(request.shardId(), checkpoint, lastRead, oldestChangeLeft(request));
    }

    /** When the oldest change that the shard still has was made; null if none is left. */
    private Instant oldestChangeLeft(GetShardIteratorRequest request) {
        try {
            GetShardIteratorRequest oldest = oldestLeft(request);
            String iterator = client.getShardIterator(ask -> ask.streamArn(oldest.streamName())
                            .shardId(oldest.shardId())
                            .shardIteratorType(oldest.shardIteratorTypeAsString()))
                    .shardIterator();
            return client.getRecords(ask -> ask.shardIterator(iterator).limit(1)).records().stream()
                    .map(record -> record.dynamodb().approximateCreationDateTime())
                    .findFirst()
                    .orElse(null);
        } catch (SdkException e) {
            return null;
        }
    }

    private interface ToKinesis {
        AwsServiceException turn(AwsServiceException thrown, SkipRecordsBehavior behavior);
    }

    /** Makes a call, whose failures reach the fetcher as the exceptions of Kinesis that it knows. */
    private <T> CompletableFuture<T> done(String action, Supplier<T> call, ToKinesis toKinesis) {
        try {
            T answer = call.get();
            denials.passed();
            return CompletableFuture.completedFuture(answer);
        } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
            // The gap has been stated and nothing of the shard is left: its end, for the fetcher.
            return CompletableFuture.failedFuture(software.amazon.awssdk.services.kinesis.model
                    .ResourceNotFoundException.builder().message(e.getMessage()).build());
        } catch (AwsServiceException e) {
            denials.failed(action, "the source's stream", e);
            return CompletableFuture.failedFuture(toKinesis.turn(e, NEVER_SKIP));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}

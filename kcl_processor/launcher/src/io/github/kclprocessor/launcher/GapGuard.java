package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsGetRecordsResponseAdapter;
import com.amazonaws.services.dynamodbv2.streamsadapter.util.AmazonServiceExceptionTransformer;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.ShardFilter;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.kinesis.model.DescribeStreamRequest;
import software.amazon.awssdk.services.kinesis.model.DescribeStreamResponse;
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
    /** One behind the other, at a single read. */
    private static final int MOST_GAPS = 10;

    private final DynamoDbStreamsClient client;
    private final SourceStream stream;
    private final Gaps gaps;
    private final UntoldGaps untold;
    private final Denials denials;
    private final Begins begins;
    private final SignsOfLife signs;
    private final Consumer<String> childless;
    private final Positions positions = new Positions();
    private final ReadTrouble trouble = new ReadTrouble(System::nanoTime);

    /** @param childless is told of a shard that ends while its children are not known */
    GapGuard(DynamoDbStreamsClient client, Region region, SourceStream stream, Gaps gaps, UntoldGaps untold,
            Denials denials, Begins begins, SignsOfLife signs, Consumer<String> childless) {
        super(client, region);
        this.client = client;
        this.stream = stream;
        this.gaps = gaps;
        this.untold = untold;
        this.denials = denials;
        this.begins = begins;
        this.signs = signs;
        this.childless = childless;
        setSkipRecordsBehavior(NEVER_SKIP);
    }

    @Override
    public CompletableFuture<DescribeStreamResponse> describeStream(DescribeStreamRequest request) {
        if (request.exclusiveStartShardId() == null) {
            begins.listing();
        }
        return super.describeStream(request).thenApply(this::remembered);
    }

    @Override
    public DescribeStreamResponse describeStreamWithFilter(String arn, ShardFilter filter, String consumerId) {
        // Once more it is not asked (DynamoDBStreamsDataFetcher.getChildShards), and the shard ends.
        DescribeStreamResponse answer;
        try {
            answer = super.describeStreamWithFilter(arn, filter, consumerId);
        } catch (RuntimeException e) {
            childless.accept(filter.shardId());
            throw e;
        }
        if (answer.streamDescription().shards().isEmpty()) {
            childless.accept(filter.shardId());
        }
        return remembered(answer);
    }

    private DescribeStreamResponse remembered(DescribeStreamResponse answer) {
        begins.listed(answer.streamDescription().shards());
        return answer;
    }

    @Override
    public CompletableFuture<GetShardIteratorResponse> getShardIterator(GetShardIteratorRequest request) {
        return done("dynamodb:GetShardIterator", request.shardId(), () -> {
            try {
                return begin(request);
            } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
                GetShardIteratorRequest oldest = oldest(request);
                String behind = behind(oldest, e,
                        last -> found(request.shardId(), Positions.checkpoint(request), null, last));
                positions.start(behind, oldest, true);
                return GetShardIteratorResponse.builder().shardIterator(behind).build();
            } catch (DynamoDbException e) {
                if (SourceStream.isRefusal(e)) {
                    gaps.nowhere(request.shardId(), Positions.checkpoint(request), e);
                }
                throw e;
            }
        }, AmazonServiceExceptionTransformer::transformDynamoDBStreamsToKinesisGetShardIterator);
    }

    @Override
    public CompletableFuture<DynamoDBStreamsGetRecordsResponseAdapter> getDynamoDBStreamsRecords(
            GetRecordsRequest request) {
        Positions.Position position = positions.of(request.shardIterator());
        return done("dynamodb:GetRecords", position.request.shardId(), () -> readOn(request, position),
                AmazonServiceExceptionTransformer::transformDynamoDBStreamsToKinesisGetRecords);
    }

    /** What comes next of a shard, behind the gaps that are there, once they are told. */
    private RememberedRecords readOn(GetRecordsRequest request, Positions.Position from) {
        GetRecordsRequest asked = request;
        Positions.Position position = from;
        for (int passed = 0; passed < MOST_GAPS; passed++) {
            try {
                RememberedRecords read = records(asked, position);
                // Not before: the fetcher, which does not know of a gap, asks with what it has until it is read on.
                positions.advance(request.shardIterator(), position, read);
                return read;
            } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
                // Behind a gap is the next one if the horizon has moved on before the read there.
                Positions.Position before = position;
                GetShardIteratorRequest oldest = oldest(before.request);
                String behind = behind(oldest, e, last -> {
                    if (!isWhole(before, last)) {
                        found(oldest.shardId(), before.checkpoint, before.lastRead, last);
                    }
                });
                asked = request.toBuilder().shardIterator(behind).build();
                position = Positions.begin(oldest, true);
            }
        }
        // The fetcher asks for another where it has read to, at its own pace.
        throw ExpiredIteratorException.builder().message("trimmed again and again").build();
    }

    /** An iterator from before is read again, for what was read with it went to nobody. */
    void resumed(String shard, String iterator, String checkpoint) {
        if (iterator != null) {
            positions.resume(iterator, stream.arn, shard, checkpoint);
        }
    }

    /** An iterator that leaves out nothing: with no checkpoint, the shard's begin must be left. */
    private GetShardIteratorResponse begin(GetShardIteratorRequest request) {
        if (request.startingSequenceNumber() != null) {
            return iterator(request, true);
        }
        String shard = request.shardId();
        Optional<Begins.Begin> begin = begins.of(shard);
        if (begin.isPresent() && request.shardIteratorType() == ShardIteratorType.LATEST) {
            return iterator(request.toBuilder().shardIteratorType(ShardIteratorType.AT_SEQUENCE_NUMBER)
                    .startingSequenceNumber(begin.get().sequenceNumber).build(), true);
        }
        GetShardIteratorResponse iterator = iterator(request, begin.isPresent());
        // Asked for afterwards, what is still there is in reach of the iterator, too.
        begin.ifPresent(at -> begins.demand(shard, at));
        return iterator;
    }

    private GetShardIteratorResponse iterator(GetShardIteratorRequest request, boolean begun) {
        String iterator = ask(request);
        positions.start(iterator, request, begun);
        return GetShardIteratorResponse.builder().shardIterator(iterator).build();
    }

    /**
     * An iterator at the oldest change that is left of a shard, once it is told what was passed.
     *
     * <p>Told afterwards: the horizon moves on between any two calls, and an iterator there never fails. So what
     * is told reaches as far as the iterator stands, or further; what leaves the stream later fails the read.
     */
    private String behind(GetShardIteratorRequest oldest, DynamoDbException passed, Consumer<DynamoDbException> tell) {
        String iterator;
        try {
            iterator = ask(oldest);
        } catch (ResourceNotFoundException | TrimmedDataAccessException gone) {
            tell.accept(gone);
            throw gone;
        }
        tell.accept(passed);
        return iterator;
    }

    private static GetShardIteratorRequest oldest(GetShardIteratorRequest request) {
        return request.toBuilder()
                .shardIteratorType(ShardIteratorType.TRIM_HORIZON)
                .startingSequenceNumber(null)
                .build();
    }

    private String ask(GetShardIteratorRequest request) {
        return client.getShardIterator(ask -> ask.streamArn(request.streamName())
                        .shardId(request.shardId())
                        .shardIteratorType(request.shardIteratorTypeAsString())
                        .sequenceNumber(request.startingSequenceNumber())
                        .overrideConfiguration(request.overrideConfiguration().orElse(null)))
                .shardIterator();
    }

    private RememberedRecords records(GetRecordsRequest request, Positions.Position position) {
        AtomicReference<RawRecords> raw = new AtomicReference<>();
        GetRecordsResponse response = client.getRecords(RawAnswers.ask(request, raw));
        RememberedRecords read = new RememberedRecords(response, raw.get());
        if (!position.begun && !read.records().isEmpty()) {
            begins.note(position.request.shardId(), read.records().get(0).sequenceNumber());
        }
        return read;
    }

    /**
     * Whether nothing is lost though a read finds something trimmed: nothing of the shard was read yet, and its
     * begin is still there.
     *
     * <p>DynamoDB Local finds the first change of a shard trimmed that was empty before. It numbers the changes
     * of all its tables in one row, and an iterator of an empty shard stands at a number that is another's.
     */
    private boolean isWhole(Positions.Position position, DynamoDbException e) {
        boolean begun = position.lastRead != null || position.request.startingSequenceNumber() != null;
        if (begun || e instanceof ResourceNotFoundException) {
            return false;
        }
        String shard = position.request.shardId();
        try {
            return begins.of(shard).filter(begin -> begins.demand(shard, begin)).isPresent();
        } catch (ResourceNotFoundException | TrimmedDataAccessException gone) {
            return false;
        }
    }

    /**
     * States a gap, unless the shard may be one of the stream that was turned on after this one, or is there all
     * the same: what is taken for gone is ended, and a young one takes changes still.
     */
    private void found(String shard, String checkpoint, Instant lastRead, DynamoDbException e) {
        if (e instanceof ResourceNotFoundException) {
            SourceStream.Listing listing = stream.listing();
            if (!listing.isOn) {
                throw new IllegalStateException("shard " + shard + " is left to the next start: the stream is off");
            }
            if (listing.holds(shard)) {
                throw new IllegalStateException("shard " + shard + " was not found, and is in the stream");
            }
        }
        Gap gap = new Gap(shard, checkpoint, lastRead, oldestChangeLeft(shard));
        if (gaps.goesOn()) {
            untold.found(shard, checkpoint, () -> gaps.found(gap, e));
        } else {
            gaps.found(gap, e);
        }
    }

    /** When that was made; null if it is not known. */
    private Instant oldestChangeLeft(String shard) {
        try {
            return stream.oldestLeftMade(shard);
        } catch (SdkException e) {
            return null;
        }
    }

    private interface ToKinesis {
        AwsServiceException turn(AwsServiceException thrown, SkipRecordsBehavior behavior);
    }

    /** Makes a call, whose failures reach the fetcher as the exceptions of Kinesis that it knows. */
    private <T> CompletableFuture<T> done(String action, String shard, Supplier<T> call, ToKinesis toKinesis) {
        CompletableFuture<T> done = attempt(action, shard, call, toKinesis);
        if (done.isCompletedExceptionally()) {
            signs.heard(shard);
        }
        return done;
    }

    private <T> CompletableFuture<T> attempt(String action, String shard, Supplier<T> call, ToKinesis toKinesis) {
        try {
            T answer = call.get();
            denials.passed();
            trouble.passed();
            return CompletableFuture.completedFuture(answer);
        } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
            // The gap has been stated and nothing of the shard is left: its end, for the fetcher.
            childless.accept(shard);
            return CompletableFuture.failedFuture(software.amazon.awssdk.services.kinesis.model
                    .ResourceNotFoundException.builder().message(e.getMessage()).build());
        } catch (AwsServiceException e) {
            denials.failed(action, "the source's stream", e);
            trouble.met(e);
            return CompletableFuture.failedFuture(toKinesis.turn(e, NEVER_SKIP));
        } catch (RuntimeException e) {
            trouble.met(e);
            return CompletableFuture.failedFuture(e);
        }
    }
}

package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsDataFetcher;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.retrieval.DataFetcherProviderConfig;
import software.amazon.kinesis.retrieval.DataFetcherResult;
import software.amazon.kinesis.retrieval.GetRecordsResponseAdapter;

/** The adapter's reads of one shard, each within the {@link ReadLimit} of all. */
final class ShardReads extends DynamoDBStreamsDataFetcher {
    private final GapGuard guard;
    private final String shard;
    private final ReadLimit limit;
    /** Whether there is something behind what was read last. */
    private boolean more;

    ShardReads(GapGuard guard, DataFetcherProviderConfig shard, ReadLimit limit) {
        super(guard, shard);
        this.guard = guard;
        this.shard = shard.getShardId();
        this.limit = limit;
    }

    /** Where a subscription is begun anew, as after a read that took long, pages read ahead are thrown away. */
    @Override
    public void resetIterator(
            String iterator, String sequenceNumber, InitialPositionInStreamExtended initialPosition) {
        guard.resumed(shard, iterator, sequenceNumber);
        super.resetIterator(iterator, sequenceNumber, initialPosition);
    }

    @Override
    public DataFetcherResult getRecords() {
        DataFetcherResult read = super.getRecords();
        more = read.getResultAdapter().nextShardIterator() != null;
        return read;
    }

    /**
     * As the last read found it. The adapter remembers an end for good, that of a page which was thrown away, too;
     * then the KCL would end the shard behind the first page that is read again, be it the last or not.
     */
    @Override
    public boolean isShardEndReached() {
        return !more && super.isShardEndReached();
    }

    @Override
    public GetRecordsResponseAdapter getGetRecordsResponse(GetRecordsRequest request)
            throws ExecutionException, InterruptedException, TimeoutException {
        GetRecordsResponseAdapter read = super.getGetRecordsResponse(
                request.toBuilder().limit(limit.of(request.limit())).build());
        // At its end a shard has nothing more to hold.
        limit.read(this, read.nextShardIterator() == null ? 0 : read.records().size());
        return read;
    }
}

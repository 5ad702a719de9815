package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsDataFetcher;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.kinesis.retrieval.DataFetcherProviderConfig;
import software.amazon.kinesis.retrieval.GetRecordsResponseAdapter;

/** The adapter's reads of one shard, each within the {@link ReadLimit} of all. */
final class ShardReads extends DynamoDBStreamsDataFetcher {
    private final ReadLimit limit;

    ShardReads(AmazonDynamoDBStreamsAdapterClient client, DataFetcherProviderConfig shard, ReadLimit limit) {
        super(client, shard);
        this.limit = limit;
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

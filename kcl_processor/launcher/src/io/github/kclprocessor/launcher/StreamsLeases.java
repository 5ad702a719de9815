package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsLeaseManagementFactory;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.StreamConfig;
import software.amazon.kinesis.coordinator.DeletedStreamListProvider;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.ShardSyncTaskManager;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.metrics.MetricsFactory;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** The adapter's lease management, on top of a {@link LeaseTable} and with a {@link LineageGuard}. */
final class StreamsLeases extends DynamoDBStreamsLeaseManagementFactory {
    private final LeaseManagementConfig config;
    private final Begins begins;
    private final BooleanSupplier ending;
    private final SourceStream source;
    private final Gaps gaps;

    StreamsLeases(KinesisAsyncClient stream, LeaseManagementConfig config, RetrievalConfig retrieval,
            Begins begins, BooleanSupplier ending, SourceStream source, Gaps gaps) {
        super(stream, config, retrieval);
        this.config = config;
        this.begins = begins;
        this.ending = ending;
        this.source = source;
        this.gaps = gaps;
    }

    @Override
    public DynamoDBLeaseRefresher createLeaseRefresher() {
        return new LeaseTable(config, begins, ending);
    }

    /** As the adapter makes it, with another syncer. */
    @Override
    public ShardSyncTaskManager createShardSyncTaskManager(
            MetricsFactory metrics, StreamConfig stream, DeletedStreamListProvider deleted) {
        LineageGuard syncer = new LineageGuard(stream.streamIdentifier().toString(),
                config.cleanupLeasesUponShardCompletion(), source, gaps, this::tableMade);
        return new ShardSyncTaskManager(createShardDetector(stream), createLeaseRefresher(),
                stream.initialPositionInStreamExtended(), config.cleanupLeasesUponShardCompletion(),
                config.ignoreUnexpectedChildShards(), config.shardSyncIntervalMillis(), config.executorService(),
                syncer, metrics);
    }

    private Instant tableMade() {
        return config.dynamoDBClient().describeTable(ask -> ask.tableName(config.tableName())).join()
                .table().creationDateTime();
    }
}

package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsLeaseManagementFactory;
import java.time.Duration;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.StreamConfig;
import software.amazon.kinesis.coordinator.DeletedStreamListProvider;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.ShardInfo;
import software.amazon.kinesis.leases.ShardSyncTaskManager;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.lifecycle.ShardConsumer;
import software.amazon.kinesis.metrics.MetricsFactory;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** The adapter's lease management on a {@link LeaseTable}, with {@link SteadyRenewal} and a {@link LineageGuard}. */
final class StreamsLeases extends DynamoDBStreamsLeaseManagementFactory {
    private final LeaseManagementConfig config;
    private final Begins begins;
    private final BooleanSupplier ending;
    private final Runnable made;
    private final SourceStream source;
    private final Gaps gaps;

    StreamsLeases(KinesisAsyncClient stream, LeaseManagementConfig config, RetrievalConfig retrieval,
            Begins begins, BooleanSupplier ending, Runnable made, SourceStream source, Gaps gaps) {
        super(stream, config, retrieval);
        this.config = config;
        this.begins = begins;
        this.ending = ending;
        this.made = made;
        this.source = source;
        this.gaps = gaps;
    }

    @Override
    public DynamoDBLeaseRefresher createLeaseRefresher() {
        return new LeaseTable(config, begins, ending, made);
    }

    @Override
    public LeaseCoordinator createLeaseCoordinator(
            MetricsFactory metrics, ConcurrentMap<ShardInfo, ShardConsumer> consumers) {
        return SteadyRenewal.of(super.createLeaseCoordinator(metrics, consumers),
                Duration.ofMillis(config.failoverTimeMillis()));
    }

    /** As the adapter makes it, with another syncer. */
    @Override
    public ShardSyncTaskManager createShardSyncTaskManager(
            MetricsFactory metrics, StreamConfig stream, DeletedStreamListProvider deleted) {
        LineageGuard syncer = new LineageGuard(stream.streamIdentifier().toString(),
                config.cleanupLeasesUponShardCompletion(), source, gaps, begins);
        return new ShardSyncTaskManager(createShardDetector(stream), createLeaseRefresher(),
                stream.initialPositionInStreamExtended(), config.cleanupLeasesUponShardCompletion(),
                config.ignoreUnexpectedChildShards(), config.shardSyncIntervalMillis(), config.executorService(),
                syncer, metrics);
    }
}

package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsLeaseManagementFactory;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** The adapter's factory of all that works on leases, for {@link KeptLeases}. */
final class KeptLeasesFactory extends DynamoDBStreamsLeaseManagementFactory {
    private final LeaseManagementConfig config;
    private final Begins begins;

    KeptLeasesFactory(
            KinesisAsyncClient stream, LeaseManagementConfig config, RetrievalConfig retrieval, Begins begins) {
        super(stream, config, retrieval);
        this.config = config;
        this.begins = begins;
    }

    @Override
    public DynamoDBLeaseRefresher createLeaseRefresher() {
        return new KeptLeases(config, begins);
    }
}

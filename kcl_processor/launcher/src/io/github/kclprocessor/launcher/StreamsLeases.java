package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsLeaseManagementFactory;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** The adapter's lease management, on top of a {@link LeaseTable}. */
final class StreamsLeases extends DynamoDBStreamsLeaseManagementFactory {
    private final LeaseManagementConfig config;
    private final Begins begins;
    private final BooleanSupplier ending;

    StreamsLeases(KinesisAsyncClient stream, LeaseManagementConfig config, RetrievalConfig retrieval,
            Begins begins, BooleanSupplier ending) {
        super(stream, config, retrieval);
        this.config = config;
        this.begins = begins;
        this.ending = ending;
    }

    @Override
    public DynamoDBLeaseRefresher createLeaseRefresher() {
        return new LeaseTable(config, begins, ending);
    }
}

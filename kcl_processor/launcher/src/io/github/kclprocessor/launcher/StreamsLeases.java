package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsLeaseManagementFactory;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.common.DdbTableConfig;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** The adapter's lease management, on top of a {@link LeaseTable}. */
final class StreamsLeases extends DynamoDBStreamsLeaseManagementFactory {
    private final BooleanSupplier ending;

    StreamsLeases(KinesisAsyncClient streams, LeaseManagementConfig leases, RetrievalConfig retrieval,
            BooleanSupplier ending) {
        super(streams, leases, retrieval);
        this.ending = ending;
    }

    @Override
    public DynamoDBLeaseRefresher createLeaseRefresher() {
        return new LeaseTable(this, ending);
    }

    DdbTableConfig tableConfig() {
        DdbTableConfig config = new DdbTableConfig();
        config.billingMode(getBillingMode());
        config.readCapacity(getInitialLeaseTableReadCapacity());
        config.writeCapacity(getInitialLeaseTableWriteCapacity());
        return config;
    }
}

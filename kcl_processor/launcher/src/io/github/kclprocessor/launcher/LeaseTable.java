package io.github.kclprocessor.launcher;

import java.util.List;
import java.util.function.BooleanSupplier;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;

/** The KCL's lease table, without the answers on which KCL 3.1.3 goes wrong. */
final class LeaseTable extends DynamoDBLeaseRefresher {
    private final BooleanSupplier ending;

    LeaseTable(StreamsLeases settings, BooleanSupplier ending) {
        super(settings.getTableName(), settings.getDynamoDBClient(), settings.getLeaseSerializer(),
                settings.isConsistentReads(), settings.getTableCreatorCallback(),
                settings.getDynamoDbRequestTimeout(), settings.tableConfig(),
                settings.isLeaseTableDeletionProtectionEnabled(), settings.isLeaseTablePitrEnabled(),
                settings.getTags());
        this.ending = ending;
    }

    /**
     * What this worker is to take up, which from the beginning of its end on is nothing.
     *
     * <p>Only leases that are in its name and not at work are taken up, and those are what a stop
     * lets go of: {@code DynamoDBLeaseCoordinator.stopLeaseTaker} leaves the search for them running.
     */
    @Override
    public List<String> listLeaseKeysForWorker(String worker)
            throws DependencyException, InvalidStateException {
        return ending.getAsBoolean() ? List.of() : super.listLeaseKeysForWorker(worker);
    }
}

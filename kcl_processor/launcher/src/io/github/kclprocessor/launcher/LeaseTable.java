package io.github.kclprocessor.launcher;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.common.DdbTableConfig;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * The KCL's lease table, of whose shards none goes unread: a lease says where its shard begins, and
 * stays until the shard was read to its end. While the daemon ends, nothing is taken up from it.
 *
 * <p>The adapter deletes the lease of a shard that left the stream, whatever its checkpoint
 * ({@code DynamoDBStreamsShardSyncer.cleanupGarbageLeases}), and a shard whose parent has no lease
 * does not wait for it ({@code BlockOnParentShardTask}). Who holds a lease that stays asks for what
 * comes next, and so {@link GapGuard} states the gap.
 */
final class LeaseTable extends DynamoDBLeaseRefresher {
    private final String worker;
    private final BooleanSupplier ending;
    private final Runnable made;

    /**
     * @param ending whether the daemon's end has begun
     * @param made told of each lease that was made here, which nobody has yet
     */
    LeaseTable(LeaseManagementConfig config, Begins begins, BooleanSupplier ending, Runnable made) {
        super(config.tableName(), config.dynamoDBClient(), new WithBegin(begins), config.consistentReads(),
                config.tableCreatorCallback(), config.dynamoDbRequestTimeout(), shape(config),
                config.leaseTableDeletionProtectionEnabled(), config.leaseTablePitrEnabled(), config.tags());
        this.worker = config.workerIdentifier();
        this.ending = ending;
        this.made = made;
    }

    private static DdbTableConfig shape(LeaseManagementConfig config) {
        DdbTableConfig shape = new DdbTableConfig();
        shape.billingMode(config.billingMode());
        shape.readCapacity(config.initialLeaseTableReadCapacity());
        shape.writeCapacity(config.initialLeaseTableWriteCapacity());
        return shape;
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

    @Override
    public boolean createLeaseIfNotExists(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        boolean created = super.createLeaseIfNotExists(lease);
        if (created && !ending.getAsBoolean()) {
            made.run();
        }
        return created;
    }

    /**
     * Not that of a lease that another worker is handing over to this one. At its start this worker
     * renews all that is in its name ({@code DynamoDBLeaseRenewer.initialize}), and the other's last
     * checkpoint would find a lease that somebody else has written to.
     */
    @Override
    public boolean renewLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        boolean anothers = lease.shutdownRequested()
                && (!worker.equals(lease.checkpointOwner()) || worker.equals(lease.leaseOwner()));
        return !anothers && super.renewLease(lease);
    }

    /**
     * Not to the worker that has it: the write would take the lease from its very owner, who renews late and
     * is who the leader says. Alone it would be nobody else's ({@code LeaseAssignmentManager} looks for the
     * worker with the most room, whoever has the lease).
     */
    @Override
    public boolean assignLease(Lease lease, String newOwner)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        if (newOwner.equals(lease.leaseOwner()) && lease.checkpointOwner() == null) {
            return true;
        }
        Event moved = Event.moved(lease.leaseKey(), lease.actualOwner(), newOwner, why(lease));
        return told(super.assignLease(lease, newOwner), moved);
    }

    /** A stop's, or the end of a hand-over that the KCL does not make; then its next owner stays in it. */
    @Override
    public boolean evictLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        String holder = lease.actualOwner();
        String next = lease.checkpointOwner() == null ? null : lease.leaseOwner();
        Event moved = Event.moved(lease.leaseKey(), holder, next, holder + " let go of it");
        return told(super.evictLease(lease), moved);
    }

    private String why(Lease lease) {
        if (lease.actualOwner() == null) {
            return "nobody had it";
        }
        if (worker.equals(lease.checkpointOwner())) {
            return "handed over, as the leader asked";
        }
        if (lease.checkpointOwner() != null) {
            return "the hand-over took too long";
        }
        Long renewed = lease.lastCounterIncrementNanos();
        return lease.isExpiredOrUnassigned() && renewed != null
                ? "not renewed for " + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - renewed) + " s"
                : "to share the work";
    }

    private static boolean told(boolean done, Event event) {
        if (done) {
            Connectors.LOG.info("{}", event);
        }
        return done;
    }

    @Override
    public void deleteLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        if (lease.checkpoint().isShardEnd()) {
            super.deleteLease(lease);
        } else {
            Connectors.LOG.warn("Shard {} has left the stream, and what comes after {} in it was not read."
                    + " Its lease stays until the gap is stated", lease.leaseKey(), lease.checkpoint().sequenceNumber());
        }
    }

    /**
     * Every checkpoint and every proof of ownership. The KCL throws bare what the SDK says of a table
     * that it does not reach ({@code AWSExceptionManager} knows the table's own errors alone), and a
     * record processor would take it for a fault that no waiting mends.
     */
    @Override
    public boolean updateLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        try {
            return super.updateLease(lease);
        } catch (RuntimeException e) {
            if (e.getCause() instanceof SdkException) {
                throw new DependencyException(e.getCause());
            }
            throw e;
        }
    }

    /** Leases as the KCL writes them, and where their shards begin. */
    private static final class WithBegin extends DynamoDBLeaseSerializer {
        private final Begins begins;

        WithBegin(Begins begins) {
            this.begins = begins;
        }

        /** What a lease is created with. */
        @Override
        public Map<String, AttributeValue> toDynamoRecord(Lease lease) {
            Map<String, AttributeValue> record = super.toDynamoRecord(lease);
            if (ExtendedSequenceNumber.TRIM_HORIZON.equals(lease.checkpoint())) {
                record.putAll(begins.ofNew(lease.leaseKey(), lease.parentShardIds()));
            }
            return record;
        }
    }
}

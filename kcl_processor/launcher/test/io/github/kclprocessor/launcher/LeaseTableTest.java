package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.kinesis.model.SequenceNumberRange;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class LeaseTableTest {
    private static final String SHARD = String.format("shardId-%020d-0a1b2c3d", System.currentTimeMillis());

    @RegisterExtension
    final Heard heard = new Heard();

    private final FakeStream stream = new FakeStream();
    private final FakeLeaseTable table = new FakeLeaseTable();
    private final Begins begins = new Begins(new SourceStream(stream, "arn"), table, "leases");
    private boolean ending;
    private int made;
    private final LeaseTable leases = new LeaseTable(
            new LeaseManagementConfig("leases", "task", table, null, "host-1"), begins, () -> ending,
            () -> made++);

    private static Lease lease(ExtendedSequenceNumber checkpoint) {
        Lease lease = new Lease();
        lease.leaseKey(SHARD);
        lease.checkpoint(checkpoint);
        return lease;
    }

    /** A new lease says where its shard begins, in the write that creates it. */
    @Test
    void newLeaseHasABegin() throws Exception {
        begins.listed(List.of(Shard.builder().shardId(SHARD)
                .sequenceNumberRange(SequenceNumberRange.builder().startingSequenceNumber("100").build()).build()));
        leases.createLeaseIfNotExists(lease(ExtendedSequenceNumber.TRIM_HORIZON));
        assertEquals("100", table.begin(SHARD));
        leases.createLeaseIfNotExists(lease(ExtendedSequenceNumber.LATEST));
        assertEquals(null, table.begin(SHARD));
    }

    /** A lease that is new is told of, to be assigned; at the end nobody here assigns it. */
    @Test
    void newLeaseIsTold() throws Exception {
        leases.createLeaseIfNotExists(lease(ExtendedSequenceNumber.LATEST));
        assertEquals(1, made);
        ending = true;
        leases.createLeaseIfNotExists(lease(ExtendedSequenceNumber.LATEST));
        assertEquals(1, made);
    }

    /** A lease goes when its shard was read to its end, and not before. */
    @Test
    void unfinishedLeaseStays() throws Exception {
        table.lease(SHARD);
        leases.deleteLease(lease(new ExtendedSequenceNumber("7")));
        leases.deleteLease(lease(ExtendedSequenceNumber.TRIM_HORIZON));
        assertEquals(Set.of(SHARD), table.rows.keySet());
        leases.deleteLease(lease(ExtendedSequenceNumber.SHARD_END));
        assertFalse(table.rows.containsKey(SHARD));
    }

    /** A lease that another is handing over is left to it until it has; its last checkpoint is its own. */
    @Test
    void anothersHandOverIsNotRenewed() throws Exception {
        table.lease(SHARD);
        assertTrue(leases.renewLease(owned("host-1", null)));
        table.lease(SHARD);
        assertTrue(leases.renewLease(owned("host-2", "host-1")));
        assertFalse(leases.renewLease(owned("host-1", "host-2")));
        assertFalse(leases.renewLease(owned("host-1", "host-1")));
    }

    /** An assignment to the worker that has the lease writes nothing, for any write takes it from its owner. */
    @Test
    void ownerKeepsItsLease() throws Exception {
        table.failure = SdkClientException.create("a write");
        assertTrue(leases.assignLease(owned("host-1", null), "host-1"));
        assertThrows(RuntimeException.class, () -> leases.assignLease(owned("host-1", null), "host-2"));
        assertThrows(RuntimeException.class, () -> leases.assignLease(owned("host-1", "host-2"), "host-1"));
    }

    /** Each change of hands is told, from whom, to whom and why; one that came to nothing is not. */
    @Test
    void changesOfHandsAreTold() throws Exception {
        Lease expired = owned("host-2", null);
        expired.isExpiredOrUnassigned(true);
        expired.lastCounterIncrementNanos(System.nanoTime() - 31_500_000_000L);
        assign(expired, "host-1");
        assign(owned(null, null), "host-1");
        assign(owned("host-2", null), "host-1");
        assign(owned("host-2", "host-1"), "host-2");
        assign(owned("host-2", "host-3"), "host-2");
        evict(owned("host-1", null));
        evict(owned("host-2", "host-1"));
        assertEquals(List.of(
                "host-2 host-1 not renewed for 31 s",
                "null host-1 nobody had it",
                "host-2 host-1 to share the work",
                "host-1 host-2 handed over, as the leader asked",
                "host-3 host-2 the hand-over took too long",
                "host-1 null host-1 let go of it",
                "host-1 host-2 host-1 let go of it"), heard.events().stream()
                .map(event -> event.from + " " + event.to + " " + event.why).collect(Collectors.toList()));
    }

    private void has(Lease lease) {
        table.rows.put(SHARD, new HashMap<>(new DynamoDBLeaseSerializer().toDynamoRecord(lease)));
    }

    private void evict(Lease lease) throws Exception {
        has(lease);
        assertTrue(leases.evictLease(lease));
    }

    private void assign(Lease lease, String owner) throws Exception {
        has(lease);
        assertTrue(leases.assignLease(lease, owner));
        table.rows.clear();
        assertFalse(leases.assignLease(lease(ExtendedSequenceNumber.LATEST), owner));
    }

    /**
     * A checkpoint that failed takes back what it set ({@code DynamoDBLeaseRenewer.updateLease}), without
     * the lock under which the lease is renewed. What a renewal sets is not among it, and of checkpoints
     * a shard has one at a time.
     */
    @Test
    void failedCheckpointLeavesARenewalAsItIs() {
        Lease before = owned("host-1", null);
        Lease renewed = owned("host-2", "host-1");
        renewed.leaseCounter(8L);
        renewed.lastCounterIncrementNanos(9L);
        renewed.checkpoint(new ExtendedSequenceNumber("10"));
        renewed.update(before);
        assertEquals("7", renewed.checkpoint().sequenceNumber());
        assertEquals(List.of(8L, 9L, "host-2", "host-1"), List.of(renewed.leaseCounter(),
                renewed.lastCounterIncrementNanos(), renewed.leaseOwner(), renewed.checkpointOwner()));
    }

    private static Lease owned(String owner, String checkpointOwner) {
        Lease lease = lease(new ExtendedSequenceNumber("7"));
        lease.leaseOwner(owner);
        lease.checkpointOwner(checkpointOwner);
        return lease;
    }

    /** A table that cannot be reached is said to be one, and is no fault of whoever asks for a checkpoint. */
    @Test
    void unreachable() {
        table.lease(SHARD);
        table.failure = SdkClientException.create("connection refused");
        DependencyException thrown = assertThrows(
                DependencyException.class, () -> leases.updateLease(lease(new ExtendedSequenceNumber("7"))));
        assertEquals(table.failure, thrown.getCause());
        table.failure = new IllegalStateException("a fault of ours");
        assertThrows(RuntimeException.class, () -> leases.updateLease(lease(new ExtendedSequenceNumber("7"))));
    }

    /** While the daemon ends there is nothing for it to take up, whatever the table says. */
    @Test
    void nothingIsTakenUpAtTheEnd() throws Exception {
        ending = true;
        assertEquals(List.of(), leases.listLeaseKeysForWorker("host-1"));
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.exceptions.KinesisClientLibDependencyException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.exceptions.ThrottlingException;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class LeaseFenceTest {
    private static final String SHARD = "shardId-1";

    private final List<String> recorded = new ArrayList<>();
    private final List<UUID> proofs = new ArrayList<>();
    private Lease held = lease();
    private boolean stillOwned = true;
    private Exception refusal;
    private int asked;
    private boolean overdue;
    private FencedCheckpointer checkpointer;

    private static Lease lease() {
        Lease lease = new Lease();
        lease.leaseKey(SHARD);
        lease.concurrencyToken(UUID.randomUUID());
        return lease;
    }

    @BeforeEach
    void takeUpShard() {
        LeaseCoordinator leases = Fake.of(LeaseCoordinator.class, (method, arguments) -> {
            if (method.equals("getCurrentlyHeldLease")) {
                return held;
            }
            if (refusal != null) {
                throw refusal;
            }
            proofs.add((UUID) arguments[1]);
            return stillOwned;
        });
        RecordProcessorCheckpointer kcl = Fake.of(RecordProcessorCheckpointer.class, (method, arguments) ->
                arguments == null ? recorded.add("largest") : recorded.add((String) arguments[0]));
        checkpointer = new FencedCheckpointer(
                kcl, new LeaseFence(SHARD, () -> leases, ExtendedSequenceNumber.TRIM_HORIZON, () -> overdue),
                () -> asked++);
    }

    /** A checkpoint at a new position is the KCL's, whose write is proof enough. */
    @Test
    void newPositionIsRecordedByTheKcl() throws Exception {
        checkpointer.checkpoint("100");
        assertEquals(List.of("100"), recorded);
        assertEquals(List.of(), proofs);
    }

    /** Every checkpoint that is asked for is heard of, also one that is refused. */
    @Test
    void askingIsHeard() throws Exception {
        checkpointer.checkpoint("100");
        checkpointer.checkpoint();
        held = null;
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("100"));
        assertEquals(3, asked);
    }

    /** A second checkpoint at one position, which the KCL would skip, writes to the lease. */
    @Test
    void recordedPositionIsProved() throws Exception {
        checkpointer.checkpoint("100");
        checkpointer.checkpoint("100", 0);
        assertEquals(List.of("100"), recorded);
        assertEquals(List.of(held.concurrencyToken()), proofs);
    }

    /** Before anything was recorded, the position that the shard was taken up at can be proved. */
    @Test
    void initialPositionIsProved() throws Exception {
        checkpointer.checkpoint("TRIM_HORIZON");
        assertEquals(List.of(), recorded);
        assertEquals(1, proofs.size());
    }

    /** A checkpoint without a position is the shard's end, and the KCL's. */
    @Test
    void shardEndIsTheKcls() throws Exception {
        checkpointer.checkpoint();
        assertEquals(List.of("largest"), recorded);
        assertEquals(List.of(), proofs);
    }

    /** A stop that is overdue drops what cannot be written; what was written is recorded all the same. */
    @Test
    void overdueStopIsRefused() {
        overdue = true;
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("100"));
        assertEquals(List.of("100"), recorded);
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("100"));
        assertEquals(List.of(), proofs);
    }

    /** A write that finds another owner's is a lost lease. */
    @Test
    void takenLeaseIsRefused() {
        stillOwned = false;
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("TRIM_HORIZON"));
    }

    /** A lease that this worker no longer holds, or holds since it lost it, is not written to. */
    @Test
    void lostLeaseIsRefusedWithoutARequest() {
        held = null;
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("TRIM_HORIZON"));
        held = lease();
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("TRIM_HORIZON"));
        assertEquals(List.of(), proofs);
    }

    /** During a handover a new position is still recorded, and the processor told to stop. */
    @Test
    void handoverRecordsAndRefuses() {
        held.checkpointOwner("this worker");
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("100"));
        assertEquals(List.of("100"), recorded);
        assertThrows(ShutdownException.class, () -> checkpointer.checkpoint("100"));
        assertEquals(List.of(), proofs);
    }

    /** Failures of the lease table reach the processor under the names of a checkpoint's. */
    @Test
    void failuresAreTheKclsOwn() {
        refusal = new ProvisionedThroughputException("slow down", null);
        assertThrows(ThrottlingException.class, () -> checkpointer.checkpoint("TRIM_HORIZON"));
        refusal = new DependencyException("down", null);
        assertThrows(KinesisClientLibDependencyException.class, () -> checkpointer.checkpoint("TRIM_HORIZON"));
        refusal = new software.amazon.kinesis.leases.exceptions.InvalidStateException("no table");
        assertThrows(software.amazon.kinesis.exceptions.InvalidStateException.class,
                () -> checkpointer.checkpoint("TRIM_HORIZON"));
    }
}

package io.github.kclprocessor.launcher;

import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.KinesisClientLibDependencyException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.exceptions.ThrottlingException;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * Proof that this worker still owns one shard's lease, and the position last recorded in it.
 *
 * <p>A record processor proves its ownership by a checkpoint. The KCL skips one at the position
 * that it recorded last ({@code ShardRecordProcessorCheckpointer.advancePosition}) and answers
 * success without asking the lease table, so there the proof is made here: by a write to the lease
 * on the condition that nobody else has written to it.
 */
final class LeaseFence {
    private static final String OPERATION = "Fence";

    private final String leaseKey;
    private final LeaseCoordinator leases;
    private final BooleanSupplier overdue;
    private final UUID token;
    private ExtendedSequenceNumber recorded;

    /**
     * @param leases called once; the scheduler that has it is built after the first processor is
     * @param recorded the position that the lease holds as the shard is taken up
     * @param overdue whether a stop waits too long already for what cannot be written
     */
    LeaseFence(String leaseKey, Supplier<LeaseCoordinator> leases, ExtendedSequenceNumber recorded,
            BooleanSupplier overdue) {
        this.overdue = overdue;
        this.leaseKey = leaseKey;
        this.leases = leases.get();
        this.recorded = recorded;
        Lease held = this.leases.getCurrentlyHeldLease(leaseKey);
        this.token = held == null ? null : held.concurrencyToken();
    }

    /** Whether this worker still holds the lease as it did when the shard was taken up. */
    boolean isHeld() {
        return held() != null;
    }

    boolean isRecorded(ExtendedSequenceNumber position) {
        return position.equals(recorded);
    }

    void record(ExtendedSequenceNumber position) {
        recorded = position;
    }

    /**
     * Writes to the lease.
     *
     * @throws ShutdownException if the lease is another worker's, or about to be handed over
     */
    void prove()
            throws ShutdownException, ThrottlingException, InvalidStateException, KinesisClientLibDependencyException {
        Lease lease = refuseHandover();
        try {
            if (!leases.updateLease(lease, token, OPERATION, leaseKey)) {
                throw lost();
            }
        } catch (ProvisionedThroughputException e) {
            throw new ThrottlingException("Throttled while proving the lease of shard " + leaseKey, e);
        } catch (software.amazon.kinesis.leases.exceptions.InvalidStateException e) {
            throw new InvalidStateException("Unable to prove the lease of shard " + leaseKey, e);
        } catch (DependencyException e) {
            throw new KinesisClientLibDependencyException("Unable to prove the lease of shard " + leaseKey, e);
        }
    }

    /**
     * Reads what this worker knows of the lease, without a request.
     *
     * @throws ShutdownException if it is lost, or another worker has asked for it: what is written
     *     from then on could meet that worker's writes. Also if a stop would end by force before the
     *     destination answers: a batch that is dropped is read again.
     */
    Lease refuseHandover() throws ShutdownException {
        Lease lease = held();
        if (lease == null) {
            throw lost();
        }
        if (lease.shutdownRequested()) {
            throw new ShutdownException("The lease of shard " + leaseKey + " is being handed over");
        }
        if (overdue.getAsBoolean()) {
            throw new ShutdownException("The daemon stops, and shard " + leaseKey + " is read again from its checkpoint");
        }
        return lease;
    }

    /** Makes the KCL here forget the lease; in the table it stays this worker's until somebody takes it. */
    void letGo() {
        Lease lease = held();
        if (lease != null) {
            leases.dropLease(lease);
        }
    }

    private Lease held() {
        Lease lease = leases.getCurrentlyHeldLease(leaseKey);
        return lease != null && lease.concurrencyToken().equals(token) ? lease : null;
    }

    private ShutdownException lost() {
        return new ShutdownException("This worker does not hold the lease of shard " + leaseKey);
    }
}

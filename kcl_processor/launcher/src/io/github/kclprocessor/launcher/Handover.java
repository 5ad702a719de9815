package io.github.kclprocessor.launcher;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.exceptions.LeasingException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * Lets go of leases at a stop, so that the rest of the fleet need not wait for them to expire.
 *
 * <p>Also ends the handovers that the KCL begins and does not end.
 *
 * <p>The KCL only forgets its leases as it stops. A worker that is alone keeps them in its name:
 * started again, it takes them up without an election. That it was stopped, and did not die with them,
 * is told by its report, which it takes away.
 */
final class Handover {
    /** So many looks in a row see a handover before it counts as one that the KCL does not make. */
    private static final int LOOKS = 3;

    private final Supplier<LeaseCoordinator> leases;
    private final BooleanSupplier company;
    private final Consumer<String> leaveFleet;
    private final String worker;
    private final BooleanSupplier stopping;
    private Boolean alone;
    private Map<String, Integer> waiting = new HashMap<>();
    private boolean left;

    /**
     * @param company whether another worker lives, as one does for which there is no shard
     * @param leaveFleet takes a worker's report away: the leader, which would assign it leases, forgets it
     */
    Handover(Supplier<LeaseCoordinator> leases, BooleanSupplier company, Consumer<String> leaveFleet, String worker,
            BooleanSupplier stopping) {
        this.leases = leases;
        this.company = company;
        this.leaveFleet = leaveFleet;
        this.worker = worker;
        this.stopping = stopping;
    }

    /**
     * At a start, ends what this worker was handing over when it died. Only the worker that has a lease
     * hands it over, and one that was started anew does not have it; the leader in turn passes over a
     * lease that it would assign to the worker that it takes to have it.
     */
    void finishLast() {
        attempt("What was being handed over", table -> {
            for (Lease lease : table.listLeases()) {
                finish(table, lease);
            }
        });
    }

    private void finish(LeaseRefresher table, Lease lease) throws LeasingException {
        if (lease != null && worker.equals(lease.checkpointOwner())) {
            // Its next owner stays in it.
            table.evictLease(lease);
        }
    }

    /**
     * Ends handovers that the KCL here would never end. It hands over what is being processed; a shard
     * that waits for its parents is not, and renewed it would stay unread on both sides.
     *
     * @param isOpen whether a shard has a record processor here
     */
    void finishWaiting(Predicate<String> isOpen) {
        Map<String, Integer> pending = new HashMap<>();
        for (Lease held : leases.get().getAssignments()) {
            String key = held.leaseKey();
            if (held.shutdownRequested() && !isOpen.test(key)) {
                pending.put(key, waiting.getOrDefault(key, 0) + 1);
                if (pending.get(key) >= LOOKS) {
                    attempt(key, table -> finish(table, table.getLease(key)));
                }
            }
        }
        waiting = pending;
    }

    /** At a stop, gives a lease up whose record processor has ended, if this worker still owns it. */
    void release(String leaseKey) {
        atStop(leaseKey, table -> {
            Lease lease = table.getLease(leaseKey);
            if (lease != null) {
                giveUp(table, lease);
            }
        });
    }

    /**
     * At the end of a stop, gives up the leases that never had a record processor here: of shards that
     * wait for their parents, and what the leader has assigned since the stop began. Then this worker
     * is one that was stopped, whether it keeps leases or not.
     */
    void releaseRest() {
        atStop("What is not read here", table -> {
            for (Lease lease : table.listLeases()) {
                if (!lease.checkpoint().equals(ExtendedSequenceNumber.SHARD_END)) {
                    giveUp(table, lease);
                }
            }
            leave();
        });
    }

    private interface Release {
        void from(LeaseRefresher table) throws LeasingException;
    }

    private void atStop(String what, Release release) {
        if (stopping.getAsBoolean()) {
            attempt(what, release);
        }
    }

    private void attempt(String what, Release release) {
        try {
            release.from(leases.get().leaseRefresher());
        } catch (LeasingException | RuntimeException e) {
            Connectors.LOG.warn("{} stays in this worker's name until it expires ({})", what, e.toString());
        }
    }

    private void giveUp(LeaseRefresher table, Lease lease) throws LeasingException {
        if (worker.equals(lease.leaseOwner()) && !alone(table)) {
            table.evictLease(lease);
        }
    }

    private synchronized boolean alone(LeaseRefresher table) throws LeasingException {
        if (alone == null) {
            alone = table.listLeases().stream()
                    .map(Lease::leaseOwner)
                    .allMatch(owner -> owner == null || owner.equals(worker))
                    && !company.getAsBoolean();
            if (!alone) {
                leave();
            }
        }
        return alone;
    }

    private synchronized void leave() {
        if (!left) {
            left = true;
            leaveFleet.accept(worker);
        }
    }
}

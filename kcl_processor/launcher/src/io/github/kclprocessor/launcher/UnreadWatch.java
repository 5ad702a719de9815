package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.exceptions.LeasingException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * Notices what the KCL goes silent about: a shard that is this worker's by the lease table and that
 * nothing was heard of, one that is nobody's, and a leader that assigns no shards any more.
 *
 * <p>A silent shard is let go, to be taken up again by whom the leader says; if that does not help, the
 * daemon ends. So it does where a shard is nobody's because this worker, which leads, fails to give it to
 * anybody. What else keeps one from all workers, as a setting may, no new start mends: it is told.
 *
 * <p>What is counted is rounds, not time: a host that was suspended, or a process that was stopped, has missed
 * one at most. A round in which the lease table or the stream does not answer counts nothing, for the silence
 * is theirs.
 */
final class UnreadWatch implements Runnable {
    /** Of so many rounds in a row nothing is heard before something is done. */
    static final int ROUNDS = 8;

    private static final class Silence {
        int rounds;
        /** Until a delivery has ended; a start is no cure yet. */
        boolean letGo;
    }

    private final String worker;
    private final LeaseRefresher table;
    private final SourceStream stream;
    private final SignsOfLife signs;
    private final AssignmentRounds assignments;
    private final Duration patience;
    private final BooleanSupplier ending;
    private final Runnable end;
    private final Map<String, Silence> silences = new HashMap<>();
    /** For how many rounds shards that could be read have been nobody's. */
    private Map<String, Integer> nobodys = Map.of();
    /** For how many of these this worker, as the leader, was failing. */
    private int failing;
    private long assigned;
    private int roundsWithoutAssignment;

    /**
     * @param patience how long a shard, or the assigner, may be silent
     * @param ending whether the daemon's end has begun, in which shards are let go anyway
     * @param end ends the daemon for a supervisor to start it anew
     */
    UnreadWatch(String worker, LeaseRefresher table, SourceStream stream, SignsOfLife signs,
            AssignmentRounds assignments, Duration patience, BooleanSupplier ending, Runnable end) {
        this.worker = worker;
        this.table = table;
        this.stream = stream;
        this.signs = signs;
        this.assignments = assignments;
        this.patience = patience;
        this.ending = ending;
        this.end = end;
    }

    /**
     * How long a shard, or the assigner, may be silent. While the destination is away a record processor asks for
     * nothing until its proof of the lease runs out, a part of the failover time; until then it may write, and others
     * must not. Nor is a pause silence that a setting asks for.
     *
     * @param pauses the longest of each kind
     */
    static Duration patience(Duration unread, Duration failover, List<Duration> pauses) {
        return Stream.concat(Stream.of(unread, failover), pauses.stream().map(pause -> pause.multipliedBy(2)))
                .max(Duration::compareTo).get();
    }

    void start() {
        Rounds.every(patience.dividedBy(ROUNDS), "unread-watch", this);
    }

    /** Looks once. */
    @Override
    public void run() {
        Set<String> alive = signs.takeAlive();
        silences.keySet().removeAll(signs.takeDelivered());
        silences.forEach((shard, silence) -> silence.rounds = alive.contains(shard) ? 0 : silence.rounds);
        if (ending.getAsBoolean()) {
            return;
        }
        try {
            Map<String, Lease> leases = table.listLeases().stream()
                    .collect(Collectors.toMap(Lease::leaseKey, Function.identity()));
            lookAtAssignments();
            silences.keySet().removeIf(shard -> !isStillOurs(leases.get(shard)));
            List<Lease> silent = leases.values().stream()
                    .filter(lease -> isToBeRead(lease, leases) && !alive.contains(lease.leaseKey()))
                    .collect(Collectors.toList());
            List<String> unowned = leases.values().stream()
                    .filter(lease -> lease.actualOwner() == null && !isEnded(lease) && !waits(lease, leases))
                    .map(Lease::leaseKey).collect(Collectors.toList());
            if (unowned.isEmpty()) {
                failing = 0;
            }
            if (silent.isEmpty() && unowned.isEmpty()) {
                nobodys = Map.of();
            } else if (stream.isThere()) {
                for (Lease lease : silent) {
                    count(lease);
                }
                countNobodys(unowned);
            }
        } catch (LeasingException | RuntimeException e) {
            Connectors.LOG.debug("Whether a shard is unread cannot be told now ({})", e.toString());
        }
    }

    /** Whether a shard that was silent may still be so here; let go, it is nobody's for a moment. */
    private boolean isStillOurs(Lease lease) {
        return lease != null && !isEnded(lease)
                && (lease.actualOwner() == null || lease.actualOwner().equals(worker));
    }

    /**
     * Whether deliveries are due: a shard waits for its parents ({@code BlockOnParentShardTask}), but
     * not while it is being handed over, which a shard that waits does not survive.
     */
    private boolean isToBeRead(Lease lease, Map<String, Lease> leases) {
        return worker.equals(lease.actualOwner()) && !isEnded(lease)
                && (lease.shutdownRequested() || !waits(lease, leases));
    }

    private static boolean waits(Lease lease, Map<String, Lease> leases) {
        return lease.parentShardIds().stream().map(leases::get).anyMatch(parent -> parent != null && !isEnded(parent));
    }

    private static boolean isEnded(Lease lease) {
        return ExtendedSequenceNumber.SHARD_END.equals(lease.checkpoint());
    }

    private void count(Lease lease) throws LeasingException {
        Silence silence = silences.computeIfAbsent(lease.leaseKey(), shard -> new Silence());
        silence.rounds++;
        // Heard of while the table and the stream were asked, it may write: others must not have it yet.
        if (silence.rounds < ROUNDS || signs.hasNews(lease.leaseKey())) {
            return;
        }
        if (silence.letGo) {
            Connectors.LOG.error("Shard {} is this worker's and was not read, though it was let go and taken up again"
                            + " after {} s. The daemon ends, so that all is begun anew. Try: a supervisor's start, or"
                            + " kcl-processor run; if it comes back, more CPU for this host, or another worker",
                    lease.leaseKey(), patience.toSeconds());
            end.run();
            return;
        }
        String words = "nothing was delivered of it for " + patience.toSeconds() + " s: it is let go, and taken up again";
        Connectors.LOG.warn("{}", Event.of("unread", lease.leaseKey(), words,
                "Shard " + lease.leaseKey() + " is this worker's, and " + words));
        table.evictLease(lease);
        silence.letGo = true;
        silence.rounds = 0;
    }

    private void countNobodys(List<String> shards) {
        Map<String, Integer> before = nobodys;
        nobodys = shards.stream().collect(Collectors.toMap(
                Function.identity(), shard -> before.getOrDefault(shard, 0) + 1));
        List<String> due = shards.stream().filter(shard -> nobodys.get(shard) >= ROUNDS).sorted()
                .collect(Collectors.toList());
        String words = "it has been nobody's for " + patience.toSeconds() + " s, and is not read";
        due.stream().filter(shard -> nobodys.get(shard) == ROUNDS).forEach(shard -> Connectors.LOG.warn("{}",
                Event.of("unread", shard, words, "Shard " + shard + " is given to no worker: " + words
                        + ". Try: kcl-processor doctor; the leader's kcl.log says why")));
        // The KCL gives the lead to another after some rounds that failed: that makes none good.
        boolean fails = assignments.areFailing();
        if (fails) {
            failing++;
        } else if (assignments.areLed()) {
            failing = 0;
        }
        if (!due.isEmpty() && fails && failing >= ROUNDS) {
            Connectors.LOG.error("This worker leads, and fails to give {} to anybody; its kcl.log says why. The daemon"
                    + " ends, so that all is begun anew. Try: a supervisor's start, or kcl-processor run",
                    String.join(", ", due));
            end.run();
        }
    }

    /** Rounds that never began belong to the KCL's start, which has ends of its own. */
    private void lookAtAssignments() {
        long before = assigned;
        assigned = assignments.ended();
        roundsWithoutAssignment = assigned == 0 || assigned > before ? 0 : roundsWithoutAssignment + 1;
        Throwable failure = assignments.failure();
        if (failure != null || roundsWithoutAssignment == ROUNDS) {
            Connectors.LOG.error("This worker assigns no shards any more, should it be the leader ({}). The daemon ends,"
                            + " so that another leads. Try: a supervisor's start, or kcl-processor run",
                    failure == null ? "no round ended for " + patience.toSeconds() + " s" : failure.toString(), failure);
            end.run();
        }
    }
}

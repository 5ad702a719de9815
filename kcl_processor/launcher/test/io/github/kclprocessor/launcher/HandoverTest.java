package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class HandoverTest {
    private final Map<String, Lease> table = new LinkedHashMap<>();
    private final List<String> evicted = new ArrayList<>();
    private final List<String> left = new ArrayList<>();
    private boolean stopping = true;
    private boolean company;
    private boolean broken;

    private void lease(String key, String owner) {
        Lease lease = new Lease();
        lease.leaseKey(key);
        lease.leaseOwner(owner);
        lease.checkpoint(ExtendedSequenceNumber.TRIM_HORIZON);
        table.put(key, lease);
    }

    private Handover handover() {
        LeaseRefresher refresher = Fake.of(LeaseRefresher.class, (method, arguments) -> {
            if (broken) {
                throw new DependencyException(new RuntimeException("away"));
            }
            switch (method) {
                case "getLease":
                    return table.get((String) arguments[0]);
                case "listLeases":
                    return new ArrayList<>(table.values());
                default:
                    return evicted.add(((Lease) arguments[0]).leaseKey());
            }
        });
        LeaseCoordinator coordinator = Fake.of(LeaseCoordinator.class, (method, arguments) ->
                method.equals("getAssignments") ? new ArrayList<>(table.values()) : refresher);
        return new Handover(() -> coordinator, () -> company, left::add, "me", () -> stopping);
    }

    /** In a fleet, a lease that is still ours is given up; one that was taken is not touched. */
    @Test
    void releasesWhatIsOurs() {
        lease("a", "me");
        lease("b", "other");
        Handover handover = handover();
        handover.release("a");
        handover.release("b");
        handover.release("gone");
        assertEquals(List.of("a"), evicted);
        assertEquals(List.of("me"), left);
    }

    /** At the end of a stop the other workers get what was never read here; ended shards need no reader. */
    @Test
    void releasesTheRest() {
        lease("waits", "me");
        lease("ended", "me");
        lease("b", "other");
        table.get("ended").checkpoint(ExtendedSequenceNumber.SHARD_END);
        handover().releaseRest();
        assertEquals(List.of("waits"), evicted);
        assertEquals(List.of("me"), left);
    }

    /** A worker that is alone keeps its leases, is back at once when started again, and leaves no report. */
    @Test
    void keepsWhenAlone() {
        lease("a", "me");
        lease("b", null);
        Handover handover = handover();
        handover.release("a");
        assertEquals(List.of(), left);
        handover.releaseRest();
        assertEquals(List.of(), evicted);
        assertEquals(List.of("me"), left);
    }

    /** Where others stand by, of whom none has a lease for want of shards, a worker is not alone. */
    @Test
    void releasesToThoseThatStandBy() {
        lease("a", "me");
        company = true;
        handover().release("a");
        assertEquals(List.of("a"), evicted);
        assertEquals(List.of("me"), left);
    }

    /** A lease that is lost while the worker goes on is the KCL's business. */
    @Test
    void keepsWhileRunning() {
        lease("a", "me");
        lease("b", "other");
        stopping = false;
        handover().release("a");
        assertEquals(List.of(), evicted);
    }

    /** At a start, what this worker was handing over as it died goes to the next owner; no other's does. */
    @Test
    void finishesTheLast() {
        stopping = false;
        lease("ours", "other");
        lease("theirs", "me");
        lease("a", "me");
        table.get("ours").checkpointOwner("me");
        table.get("theirs").checkpointOwner("other");
        handover().finishLast();
        assertEquals(List.of("ours"), evicted);
    }

    /** A lease table that does not answer is no reason not to stop. */
    @Test
    void failsQuietly() {
        lease("a", "me");
        broken = true;
        handover().release("a");
        assertEquals(List.of(), evicted);
    }

    /** A shard that waits for its parents is handed over by nobody else; one that is read, by the KCL. */
    @Test
    void finishesWhatWaits() {
        for (String shard : List.of("waits", "read", "stays")) {
            lease(shard, "next");
            table.get(shard).checkpointOwner("me");
        }
        table.get("stays").checkpointOwner(null);
        Handover handover = handover();
        handover.finishWaiting("read"::equals);
        handover.finishWaiting("read"::equals);
        assertEquals(List.of(), evicted, "the KCL may be about to");
        handover.finishWaiting("read"::equals);
        assertEquals(List.of("waits"), evicted);
        assertEquals(List.of(), left);
    }
}

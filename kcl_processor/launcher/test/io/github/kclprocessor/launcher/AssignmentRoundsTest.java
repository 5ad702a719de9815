package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.coordinator.LeaderDecider;
import software.amazon.kinesis.coordinator.assignment.LeaseAssignmentManager;
import software.amazon.kinesis.metrics.NullMetricsFactory;

class AssignmentRoundsTest {
    private final AssignmentRounds rounds = new AssignmentRounds();
    private final Semaphore ran = new Semaphore(0);

    @AfterEach
    void shutDown() {
        rounds.shutdownNow();
    }

    private void awaitRound() throws InterruptedException {
        awaitRounds(1);
    }

    private void awaitRounds(int begun) throws InterruptedException {
        assertTrue(ran.tryAcquire(begun, 20, TimeUnit.SECONDS));
    }

    /** For leases that were made a round comes out of turn, one for many of them, and it ends no others. */
    @Test
    void soon() throws Exception {
        rounds.soon();
        rounds.scheduleWithFixedDelay(ran::release, 0, 1, TimeUnit.HOURS);
        awaitRound();
        rounds.soon();
        rounds.soon();
        awaitRound();
        assertEquals(1, rounds.getQueue().size(), "the KCL's next round");
        assertEquals(0, ran.availablePermits());
        assertNull(rounds.failure());
        rounds.soon();
        awaitRound();
    }

    /** Rounds that the KCL has ended do not come back. */
    @Test
    void ended() throws Exception {
        Future<?> kcl = rounds.scheduleWithFixedDelay(ran::release, 0, 1, TimeUnit.HOURS);
        awaitRound();
        kcl.cancel(true);
        rounds.soon();
        rounds.shutdown();
        rounds.soon();
        rounds.execute(ran::release);
        assertTrue(rounds.awaitTermination(20, TimeUnit.SECONDS));
        assertEquals(0, ran.availablePermits());
    }

    /** A round that failed counts while this worker leads, until the next; another's shards it gives to nobody. */
    @Test
    void failing() throws Exception {
        BlockingQueue<Boolean> leads = new LinkedBlockingQueue<>();
        LeaderDecider leader = Fake.of(LeaderDecider.class, (method, arguments) -> {
            if (method.equals("isLeader")) {
                ran.release();
                return leads.take();
            }
            return null;
        });
        Components components = new Components(new LeaseAssignmentManager(null, null, leader, null, "me", 1L,
                new NullMetricsFactory(), rounds, System::nanoTime, 1, null, 1L));
        components.leaseAssignmentManager.start();
        leads.add(true);
        awaitRounds(2);
        assertTrue(AssignmentRounds.failedOf(components) > 0, "without a table");
        leads.add(false);
        leads.add(false);
        awaitRounds(2);
        assertFalse(AssignmentRounds.failedOf(components) > 0, "another leads");
    }

    /** As the KCL has it. */
    private static final class Components {
        final LeaseAssignmentManager leaseAssignmentManager;

        Components(LeaseAssignmentManager leaseAssignmentManager) {
            this.leaseAssignmentManager = leaseAssignmentManager;
        }
    }
}

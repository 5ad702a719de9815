package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AssignmentRoundsTest {
    private final AssignmentRounds rounds = new AssignmentRounds();
    private final Semaphore ran = new Semaphore(0);

    @AfterEach
    void shutDown() {
        rounds.shutdownNow();
    }

    private void awaitRound() throws InterruptedException {
        assertTrue(ran.tryAcquire(20, TimeUnit.SECONDS));
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
}

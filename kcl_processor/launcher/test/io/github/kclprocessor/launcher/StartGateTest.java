package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StartGateTest {
    private final AtomicInteger started = new AtomicInteger();
    private final CountDownLatch slow = new CountDownLatch(1);
    private volatile boolean ending;

    private CompletableFuture<Boolean> pass(StartGate gate, Runnable start) {
        CompletableFuture<Boolean> passed = new CompletableFuture<>();
        new Thread(() -> passed.complete(gate.pass(() -> true, start))).start();
        return passed;
    }

    private void startSlowly() {
        started.incrementAndGet();
        try {
            slow.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private StartGate gate(Duration patience) {
        return new StartGate(1, () -> ending, patience);
    }

    private static boolean get(CompletableFuture<Boolean> passed) throws Exception {
        return passed.get(20, TimeUnit.SECONDS);
    }

    /** A start waits for the one before it, and is not made if the daemon ends meanwhile. */
    @Test
    void nothingStartsAtTheEnd() throws Exception {
        StartGate gate = gate(Duration.ofMinutes(1));
        CompletableFuture<Boolean> first = pass(gate, this::startSlowly);
        CompletableFuture<Boolean> second = pass(gate, this::startSlowly);
        while (started.get() == 0) {
            Thread.onSpinWait();
        }
        ending = true;
        slow.countDown();
        assertEquals(1, (get(first) ? 1 : 0) + (get(second) ? 1 : 0));
        assertEquals(1, started.get());
    }

    /** A start that is no longer wanted gives its place to the next. */
    @Test
    void unwanted() {
        StartGate gate = gate(Duration.ofMinutes(1));
        assertFalse(gate.pass(() -> false, started::incrementAndGet));
        assertTrue(gate.pass(() -> true, started::incrementAndGet));
        assertEquals(1, started.get());
    }

    /** A start that hangs keeps nobody waiting for ever. */
    @Test
    void hungStart() throws Exception {
        StartGate gate = gate(Duration.ofMillis(50));
        CompletableFuture<Boolean> hung = pass(gate, this::startSlowly);
        assertTrue(get(pass(gate, started::incrementAndGet)));
        slow.countDown();
        assertTrue(get(hung));
    }
}

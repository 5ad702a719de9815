package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Lets record processors start a few at a time, and none once the daemon ends.
 *
 * <p>A program's start costs half a second of CPU, a fork much less. Many at once leave none for the
 * renewal of the leases they start for; those are lost and taken again, and their processors are started
 * again.
 */
final class StartGate {
    private final Semaphore places;
    private final AtomicInteger ended = new AtomicInteger();
    private final BooleanSupplier ending;
    private final Duration patience;

    /**
     * @param atOnce starts that may be under way at the same time
     * @param patience for how long no start may end before one counts as hung, and its place is given
     *     to another
     */
    StartGate(int atOnce, BooleanSupplier ending, Duration patience) {
        this.places = new Semaphore(atOnce, true);
        this.ending = ending;
        this.patience = patience;
    }

    /**
     * Waits for a place and starts.
     *
     * @param wanted asked when there is a place
     * @return false, and nothing was started, if the start is no longer wanted or the daemon ends
     */
    boolean pass(BooleanSupplier wanted, Runnable start) {
        try {
            awaitPlace();
        } catch (InterruptedException e) {
            // The scheduler's threads are being ended.
            Thread.currentThread().interrupt();
            return false;
        }
        try {
            if (ending.getAsBoolean() || !wanted.getAsBoolean()) {
                return false;
            }
            start.run();
            return true;
        } finally {
            ended.incrementAndGet();
            places.release();
        }
    }

    private void awaitPlace() throws InterruptedException {
        int seen = ended.get();
        while (!places.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            // Of all that wait, one gives the place away.
            if (ended.compareAndSet(seen, seen + 1)) {
                places.release();
            }
            seen = ended.get();
        }
    }
}

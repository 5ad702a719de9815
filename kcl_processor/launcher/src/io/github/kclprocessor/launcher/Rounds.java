package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Lets a watch look again and again, on a thread of its own, for as long as the daemon lives. */
final class Rounds {
    private Rounds() {}

    /** The next round begins a period after the end of the last, however that one went. */
    static void every(Duration period, String name, Runnable watch) {
        clock(name).scheduleWithFixedDelay(() -> look(name, watch), 0, period.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** A thread that ends with the daemon. */
    static ScheduledExecutorService clock(String name) {
        return Executors.newSingleThreadScheduledExecutor(looks -> {
            Thread thread = new Thread(looks, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    private static void look(String name, Runnable watch) {
        try {
            watch.run();
        } catch (Throwable e) {
            // An executor would never run it again, and say nothing.
            Connectors.LOG.error("A round of the {} failed", name, e);
        }
    }
}

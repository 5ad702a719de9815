package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.LoggerContext;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/** The end of the daemon, whether a signal, a failed shard or the scheduler brings it about. */
final class Shutdown implements Runnable {
    private static final long LOOK_AGAIN_MILLIS = 100;
    private static final Duration SETTLE = Duration.ofSeconds(5);

    private final ExitStatus status;
    private final Supplier<Future<Boolean>> gracefulShutdown;
    private final Collection<?> open;
    private final Duration grace;
    private final IntConsumer halt;

    /**
     * @param gracefulShutdown starts the scheduler's
     * @param open processors that have not ended; a failed one stays in it for ever
     * @param halt ends the JVM with a code, where {@code System.exit} has been called already
     */
    Shutdown(ExitStatus status, Supplier<Future<Boolean>> gracefulShutdown, Collection<?> open,
            Duration grace, IntConsumer halt) {
        this.status = status;
        this.gracefulShutdown = gracefulShutdown;
        this.open = open;
        this.grace = grace;
        this.halt = halt;
    }

    /** Runs at every end of the JVM, and tells one that was asked for from one that was not. */
    void install(Runtime runtime) {
        for (String name : new String[] {"TERM", "INT"}) {
            Signal.handle(new Signal(name), signal -> {
                status.askStop();
                runtime.exit(0);
            });
        }
        runtime.addShutdownHook(new Thread(this, "shutdown"));
    }

    @Override
    public void run() {
        boolean graceful = false;
        try {
            Connectors.LOG.info("stopping: shards get {} ms for their last checkpoint", grace.toMillis());
            graceful = await(gracefulShutdown.get());
        } catch (InterruptedException | ExecutionException | RuntimeException e) {
            Connectors.LOG.error("The stop was cut short: {}", e.toString());
        }
        int code = status.code(graceful);
        Connectors.LOG.info("stopped {}, exit code {}", graceful ? "gracefully" : "by force", code);
        ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
        // KCL has named code 1 before it ran this hook; only halt can still say another.
        halt.accept(code);
    }

    /** Waits for the scheduler's end, and not for what cannot come. */
    private boolean await(Future<Boolean> stopped) throws InterruptedException, ExecutionException {
        long deadline = System.nanoTime() + grace.toNanos();
        boolean settling = false;
        while (System.nanoTime() < deadline) {
            try {
                return stopped.get(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // A failed shard cannot answer, and the scheduler would wait for its answer.
                if (status.failures() > 0 && open.size() <= status.failures()) {
                    return false;
                }
                // With no shard open only the leader's lock is left to release, unless the
                // scheduler is still initializing, which it does not interrupt.
                if (open.isEmpty() && !settling) {
                    settling = true;
                    deadline = Math.min(deadline, System.nanoTime() + SETTLE.toNanos());
                }
            }
        }
        return open.isEmpty();
    }
}

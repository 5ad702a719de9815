package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.LoggerContext;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
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
    private static final Duration LOOK_AGAIN = Duration.ofMillis(100);
    /** The scheduler ends in one to two seconds after its last shard. */
    private static final Duration SETTLE = Duration.ofMillis(2_500);

    private final ExitStatus status;
    private final Supplier<Future<Boolean>> gracefulShutdown;
    private final Runnable letGo;
    private final Collection<?> open;
    private final Duration grace;
    private final Ending ending;
    private final IntConsumer halt;

    /**
     * @param gracefulShutdown starts the scheduler's
     * @param letGo ends the scheduler without waiting for shards, its leader's lock included
     * @param open processors that have not ended; a failed one stays in it for ever
     * @param halt ends the JVM with a code, where {@code System.exit} has been called already
     */
    Shutdown(ExitStatus status, Supplier<Future<Boolean>> gracefulShutdown, Runnable letGo, Collection<?> open,
            Duration grace, Ending ending, IntConsumer halt) {
        this.status = status;
        this.gracefulShutdown = gracefulShutdown;
        this.letGo = letGo;
        this.open = open;
        this.grace = grace;
        this.ending = ending;
        this.halt = halt;
    }

    /**
     * Ends the JVM at once if it is asked to before {@link #install}: a start may wait for what an earlier
     * daemon left, and there is nothing to stop yet.
     */
    static void installForTheStart(Ending ending, IntConsumer halt) {
        onSignal(() -> {
            ending.tell(0, "stopped before it began", Long.MAX_VALUE);
            halt.accept(0);
        });
    }

    /** Runs at every end of the JVM, and tells one that was asked for from one that was not. */
    void install(Runtime runtime) {
        onSignal(() -> {
            status.askStop();
            runtime.exit(0);
        });
        runtime.addShutdownHook(new Thread(this, "shutdown"));
    }

    /** HUP is the end of its terminal; started by nohup, the JVM is deaf to it whatever is said here. */
    private static void onSignal(Runnable stop) {
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            Signal.handle(new Signal(name), signal -> stop.run());
        }
    }

    @Override
    public void run() {
        status.end();
        boolean graceful = false;
        try {
            String why = status.stopping() ? "as asked" : "by itself";
            Connectors.LOG.info("{}", Event.of("stopping", why,
                    "stopping: shards get " + grace.toMillis() + " ms for their last checkpoint"));
            graceful = await(gracefulShutdown.get());
        } catch (InterruptedException | ExecutionException | RuntimeException e) {
            Connectors.LOG.error("The stop was cut short: {}", e.toString());
        }
        if (!graceful && status.failures() == 0) {
            Connectors.LOG.error("Not every shard ended within {} ms; what has no checkpoint is written again."
                    + " Try: a higher shutdownGraceMillis, if that comes back", grace.toMillis());
        }
        int code = status.code(graceful);
        String how = graceful ? "stopped gracefully" : "stopped by force";
        String words = how + ", exit code " + code;
        Connectors.LOG.info("{}", Event.of("stopped", words, words));
        ending.tell(code, how, status.failedAt());
        ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
        // KCL has named code 1 before it ran this hook; only halt can still say another.
        halt.accept(code);
    }

    /**
     * Waits for the scheduler's end, and not for what cannot come.
     *
     * @return whether every shard has ended
     */
    private boolean await(Future<?> stopped) throws InterruptedException, ExecutionException {
        long deadline = System.nanoTime() + grace.toNanos();
        while (!done(stopped, LOOK_AGAIN)) {
            // A failed shard cannot answer, and the scheduler would wait for its answer.
            if (status.failures() > 0 && open.size() <= status.failures()) {
                return false;
            }
            if (open.isEmpty()) {
                settle(stopped);
                break;
            }
            if (System.nanoTime() >= deadline) {
                break;
            }
        }
        return open.isEmpty();
    }

    /**
     * With no shard open only the leader's lock is left to release. The scheduler does not come to
     * it while it is still initializing, nor if a shard ended just as it began to count them.
     */
    private void settle(Future<?> stopped) throws InterruptedException, ExecutionException {
        if (!done(stopped, SETTLE)) {
            CompletableFuture.runAsync(letGo);
            done(stopped, SETTLE);
        }
    }

    private static boolean done(Future<?> stopped, Duration patience) throws InterruptedException, ExecutionException {
        try {
            stopped.get(patience.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }
}

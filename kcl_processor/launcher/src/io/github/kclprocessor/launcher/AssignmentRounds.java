package io.github.kclprocessor.launcher;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import java.lang.reflect.Field;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.Scheduler;

/**
 * Runs the rounds in which the leader assigns shards, and counts those that ended.
 *
 * <p>Every worker runs them, and those that do not lead have nothing to do in them. An {@code Error}
 * ends them for good ({@code LeaseAssignmentManager.performAssignment} catches exceptions only): a
 * leader that keeps its lock then assigns nothing, and says nothing.
 */
final class AssignmentRounds extends ScheduledThreadPoolExecutor {
    private static final Logger LOG = LoggerFactory.getLogger(AssignmentRounds.class);

    private final AtomicLong ended = new AtomicLong();
    private volatile Throwable failure;

    AssignmentRounds() {
        super(1, new ThreadFactoryBuilder().setNameFormat("lam-thread").build());
    }

    /** Puts itself in the place of a scheduler's own executor, before that is started. */
    void install(Scheduler scheduler) {
        try {
            Object components = Kept.read(scheduler, "migrationComponentsInitializer");
            Field executor = Kept.field(components, "lamThreadPool");
            ((ExecutorService) executor.get(components)).shutdown();
            executor.set(components, this);
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("Whether the leader assigns shards cannot be watched in this KCL ({})", e.toString());
        }
    }

    /** How many rounds ended well, or in an exception that the KCL tells and tries again after. */
    long ended() {
        return ended.get();
    }

    /** What ended the rounds for good; null while they go on. */
    Throwable failure() {
        return failure;
    }

    @Override
    protected void afterExecute(Runnable round, Throwable thrown) {
        super.afterExecute(round, thrown);
        Future<?> rounds = (Future<?>) round;
        if (!rounds.isDone()) {
            ended.incrementAndGet();
        } else if (!rounds.isCancelled()) {
            failure = cause(rounds);
        }
    }

    private static Throwable cause(Future<?> rounds) {
        try {
            rounds.get();
            return new IllegalStateException("the rounds ended");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return e;
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }
}

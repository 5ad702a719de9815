package io.github.kclprocessor.launcher;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import java.lang.reflect.Field;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.Scheduler;

/**
 * Runs the rounds in which the leader assigns shards, and counts those that ended.
 *
 * <p>They come when there is something to assign: the first when a worker can have reported, and one soon
 * after leases were made, in between the KCL's.
 *
 * <p>Every worker runs them, and those that do not lead have nothing to do in them. An {@code Error}
 * ends them for good ({@code LeaseAssignmentManager.performAssignment} catches exceptions only): a
 * leader that keeps its lock then assigns nothing, and says nothing.
 */
final class AssignmentRounds extends ScheduledThreadPoolExecutor {
    private static final Logger LOG = LoggerFactory.getLogger(AssignmentRounds.class);

    /**
     * A worker's first report comes after two looks at itself ({@code startWorkerMetricsReporting}), 100 ms
     * each unless a property says otherwise; before it none is assigned to.
     */
    private static final long FIRST_MILLIS = 350;
    /** Where many shards end at once, so long for the leases of most of their children to be made. */
    private static final long SOON_MILLIS = 200;

    private final AtomicBoolean soon = new AtomicBoolean();
    private final AtomicLong ended = new AtomicLong();
    private volatile Runnable round;
    private volatile ScheduledFuture<?> rounds;
    private volatile Throwable failure;
    /** How many rounds in a row failed, and are tried again, of this worker as the leader; below 0 if it is not. */
    private volatile IntSupplier failed;

    AssignmentRounds() {
        this(() -> 0);
    }

    AssignmentRounds(IntSupplier failed) {
        super(1, new ThreadFactoryBuilder().setNameFormat("lam-thread").build(), new DiscardPolicy());
        this.failed = failed;
    }

    /** Puts itself in the place of a scheduler's own executor, before that is started. */
    void install(Scheduler scheduler) {
        try {
            Object components = Kept.read(scheduler, "migrationComponentsInitializer");
            Field executor = Kept.field(components, "lamThreadPool");
            ((ExecutorService) executor.get(components)).shutdown();
            executor.set(components, this);
            failed = () -> failedOf(components);
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("Whether the leader assigns shards cannot be watched in this KCL ({})", e.toString());
        }
    }

    /**
     * The rounds in a row that failed while this worker leads; below 0 while it does not. The KCL counts those in
     * which it could not ask who leads, too, and forgets them all only when it leads anew, or one goes well.
     */
    static int failedOf(Object components) {
        try {
            Object manager = Kept.read(components, "leaseAssignmentManager");
            boolean leads = manager != null && (boolean) Kept.read(manager, "tookOverLeadershipInThisRun");
            return leads ? (int) Kept.read(manager, "noOfContinuousFailedAttempts") : -1;
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.debug("Whether the leader's rounds fail is not known in this KCL ({})", e.toString());
            return 0;
        }
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initial, long delay, TimeUnit unit) {
        round = command;
        rounds = super.scheduleWithFixedDelay(
                command, Math.max(unit.toMillis(initial), FIRST_MILLIS), unit.toMillis(delay), TimeUnit.MILLISECONDS);
        return rounds;
    }

    /** Asks for a round out of turn, from any thread: leases were made. */
    void soon() {
        if (rounds != null && !isShutdown() && soon.compareAndSet(false, true)) {
            schedule(() -> {
                soon.set(false);
                // The KCL ends its rounds before it ends their thread.
                if (!rounds.isDone()) {
                    round.run();
                }
            }, SOON_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** How many rounds ended well, or in an exception that the KCL tells and tries again after. */
    long ended() {
        return ended.get();
    }

    /** Whether the last round of this worker, as the leader, ended in such an exception. */
    boolean areFailing() {
        return failed.getAsInt() > 0;
    }

    /** Whether this worker was the leader in its last round. */
    boolean areLed() {
        return failed.getAsInt() >= 0;
    }

    /** What ended the rounds for good; null while they go on. */
    Throwable failure() {
        return failure;
    }

    @Override
    protected void afterExecute(Runnable task, Throwable thrown) {
        super.afterExecute(task, thrown);
        RunnableScheduledFuture<?> ran = (RunnableScheduledFuture<?>) task;
        if (!ran.isDone()) {
            ended.incrementAndGet();
        } else if (ran.isPeriodic() && !ran.isCancelled()) {
            failure = cause(ran);
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

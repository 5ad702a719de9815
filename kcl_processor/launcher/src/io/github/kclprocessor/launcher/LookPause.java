package io.github.kclprocessor.launcher;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import software.amazon.kinesis.lifecycle.TaskExecutionListener;
import software.amazon.kinesis.lifecycle.TaskOutcome;
import software.amazon.kinesis.lifecycle.TaskType;
import software.amazon.kinesis.lifecycle.events.TaskExecutionListenerInput;

/**
 * The pause between two looks of the scheduler at its shards, which ends when a shard can go on.
 *
 * <p>A shard goes on by one state at a look; a start passes two and a rollover several, and of the KCL's fixed
 * pause between looks each would take up to one.
 *
 * <p>Public for the launcher's classes in the KCL's packages.
 */
public final class LookPause implements TaskExecutionListener {
    private static final long LONGEST_MILLIS = 250;
    /** The KCL tells of a task's end before the task counts as ended; and shards that go on together share a look. */
    private static final long SETTLE_MILLIS = 20;

    private final Semaphore changes = new Semaphore(0);

    /** Waits for the next look. */
    public void await() throws InterruptedException {
        if (changes.tryAcquire(LONGEST_MILLIS, TimeUnit.MILLISECONDS)) {
            // What changes from here on is another look's.
            changes.drainPermits();
            Thread.sleep(SETTLE_MILLIS);
        }
    }

    @Override
    public void beforeTaskExecution(TaskExecutionListenerInput input) {}

    @Override
    public void afterTaskExecution(TaskExecutionListenerInput input) {
        // One that failed is tried again in the KCL's time, and of batches only the last is an end.
        boolean passed = input.taskOutcome() == TaskOutcome.SUCCESSFUL && input.taskType() != TaskType.PROCESS;
        if (passed || input.taskOutcome() == TaskOutcome.END_OF_SHARD) {
            changes.release();
        }
    }
}

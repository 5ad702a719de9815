package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.lifecycle.TaskOutcome;
import software.amazon.kinesis.lifecycle.TaskType;
import software.amazon.kinesis.lifecycle.events.TaskExecutionListenerInput;

class LookPauseTest {
    private static final long LONGEST = 250;

    private final LookPause pause = new LookPause();

    private void task(TaskType type, TaskOutcome outcome) {
        pause.afterTaskExecution(TaskExecutionListenerInput.builder().taskType(type).taskOutcome(outcome).build());
    }

    private long millis() throws InterruptedException {
        long began = System.nanoTime();
        pause.await();
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    }

    /** Without a change, and after what a look does not help: another batch, a parent that is not read yet. */
    @Test
    void nothingToSee() throws Exception {
        task(TaskType.PROCESS, TaskOutcome.SUCCESSFUL);
        task(TaskType.BLOCK_ON_PARENT_SHARDS, TaskOutcome.FAILURE);
        task(TaskType.SHUTDOWN_COMPLETE, null);
        assertTrue(millis() >= LONGEST);
    }

    /** Many shards that go on together share a look. */
    @Test
    void changes() throws Exception {
        // A busy machine makes a look late, and not as late as this every time.
        long shortest = LONGEST;
        for (int look = 0; look < 20 && shortest >= LONGEST; look++) {
            for (int shard = 0; shard < 100; shard++) {
                task(TaskType.BLOCK_ON_PARENT_SHARDS, TaskOutcome.SUCCESSFUL);
                task(TaskType.INITIALIZE, TaskOutcome.SUCCESSFUL);
                task(TaskType.PROCESS, TaskOutcome.END_OF_SHARD);
            }
            shortest = Math.min(shortest, millis());
        }
        assertTrue(shortest < LONGEST);
        assertTrue(millis() >= LONGEST);
    }
}

package software.amazon.kinesis.coordinator;

import io.github.kclprocessor.launcher.LookPause;
import software.amazon.kinesis.multilang.config.ResolvedConfigs;

/**
 * A scheduler that looks after its shards when one of them can go on.
 *
 * <p>It lives in this package because the loop that it adds a pause to is package-private.
 */
public final class PromptScheduler extends Scheduler {
    private final LookPause pause;

    /** Takes the place of the KCL's own pause, which is a sleep, and its listener to tasks. */
    public PromptScheduler(ResolvedConfigs configs) {
        this(configs, new LookPause());
    }

    private PromptScheduler(ResolvedConfigs configs, LookPause pause) {
        super(configs.checkpoint, configs.coordinator.shardConsumerDispatchPollIntervalMillis(0), configs.leases,
                configs.lifecycle.taskExecutionListener(pause), configs.metrics, configs.processor, configs.retrieval);
        this.pause = pause;
    }

    @Override
    void runProcessLoop() {
        super.runProcessLoop();
        try {
            pause.await();
        } catch (InterruptedException e) {
            // The loop ends by its shutdown alone, as the KCL's does.
        }
    }
}

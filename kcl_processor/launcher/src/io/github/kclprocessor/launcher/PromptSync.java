package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A shard sync in between, for a shard that ended without its children: nobody reads them before a sync,
 * and the KCL's own come every two minutes, from the leader alone.
 */
final class PromptSync implements Runnable {
    private static final Duration PERIOD = Duration.ofSeconds(2);

    private final Callable<Void> sync;
    private final AtomicBoolean due = new AtomicBoolean();

    PromptSync(Callable<Void> sync) {
        this.sync = sync;
    }

    /** Asks for a sync, from any thread. */
    void ask() {
        due.set(true);
    }

    /** Looks for as long as the daemon lives. */
    void start() {
        Rounds.every(PERIOD, "shard-sync", this);
    }

    /** Syncs if it was asked to, and once more if that failed. */
    @Override
    public void run() {
        if (!due.getAndSet(false)) {
            return;
        }
        try {
            sync.call();
        } catch (Exception e) {
            due.set(true);
            Connectors.LOG.warn("The children of a shard that ended are not known yet ({})", e.toString());
        }
    }
}

package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Shard syncs in between, for shards that ended without their children: nobody reads those before a sync,
 * and the KCL's own come every two minutes, from the leader alone.
 */
final class PromptSync implements Runnable {
    private static final Duration PERIOD = Duration.ofSeconds(1);
    /** So many rounds later the KCL has synced. */
    static final int ROUNDS = 128;

    private final Callable<Set<String>> sync;
    private final Map<String, Integer> rounds = new ConcurrentHashMap<>();
    private boolean told;

    /** @param sync creates the leases that are missing, and returns the parents of all that there are */
    PromptSync(Callable<Set<String>> sync) {
        this.sync = sync;
    }

    /** Asks for the children of a shard, from any thread. */
    void ask(String shard) {
        rounds.putIfAbsent(shard, 0);
    }

    /** Looks for as long as the daemon lives. */
    void start() {
        Rounds.every(PERIOD, "shard-sync", this);
    }

    /** Syncs one, two, four and so on rounds after it was asked to, until the children are known. */
    @Override
    public void run() {
        rounds.replaceAll((shard, round) -> round + 1);
        if (rounds.values().stream().anyMatch(round -> Integer.bitCount(round) == 1)) {
            syncOrTell();
        }
        rounds.values().removeIf(round -> round >= ROUNDS);
    }

    private void syncOrTell() {
        try {
            rounds.keySet().removeAll(sync.call());
            told = false;
        } catch (Exception e) {
            if (!told) {
                told = true;
                Connectors.LOG.warn("The children of shards that ended are not known yet ({})", e.toString());
            }
        }
    }
}

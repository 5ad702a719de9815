package io.github.kclprocessor.launcher;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Of which shards there was something to hear: a delivery, empty or not, that began or ended; a
 * checkpoint, for which a record processor asks every few seconds while its destination is away; a
 * read that failed, which is an outage and told elsewhere.
 */
final class SignsOfLife {
    private final Set<String> heard = ConcurrentHashMap.newKeySet();
    private final Set<String> delivered = ConcurrentHashMap.newKeySet();
    private final Set<String> waiting = ConcurrentHashMap.newKeySet();

    void heard(String shard) {
        waiting.remove(shard);
        heard.add(shard);
    }

    /** A delivery has ended: the shard is read, whatever was before. */
    void delivered(String shard) {
        delivered.add(shard);
        heard(shard);
    }

    /** A shard waits for its turn to start, which others that move will give it. */
    void waits(String shard) {
        waiting.add(shard);
    }

    /** The shards that were heard of since this was asked last, or that wait. */
    Set<String> takeAlive() {
        Set<String> alive = taken(heard);
        alive.addAll(waiting);
        return alive;
    }

    /** Whether a shard was heard of since {@link #takeAlive}. */
    boolean hasNews(String shard) {
        return heard.contains(shard);
    }

    /** The shards of which a delivery has ended since this was asked last. */
    Set<String> takeDelivered() {
        return taken(delivered);
    }

    private static Set<String> taken(Set<String> signs) {
        Set<String> taken = new HashSet<>(signs);
        signs.removeAll(taken);
        return taken;
    }
}

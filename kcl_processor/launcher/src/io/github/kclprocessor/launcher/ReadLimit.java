package io.github.kclprocessor.launcher;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * How many records a read may bring, so that those of all shards that have a backlog fit into memory.
 *
 * <p>A shard holds up to three answers: one is processed, one waits, one is being read. A few shards
 * read as much as the service gives; of many, which share two cores and a destination anyway, each reads
 * less at a time, but never less than a partition can change.
 */
final class ReadLimit {
    /** Records that the reads of all shards together may bring: 20 MB of them, at 1 KB each. */
    private static final int TOGETHER = 16_000;
    /** With five reads a second, more than the 1,000 changes a second that a partition takes. */
    private static final int LEAST = 250;

    /** Who reads a shard that was let go is forgotten without a word. */
    private final Set<Object> busy = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /** The limit of a shard's next read, of which it may ask for so many. */
    int of(int most) {
        return Math.min(most, Math.max(LEAST, TOGETHER / Math.max(1, busy.size())));
    }

    /** A shard was read, by its only reader. */
    void read(Object reader, int records) {
        if (records > 0) {
            busy.add(reader);
        } else {
            busy.remove(reader);
        }
    }
}

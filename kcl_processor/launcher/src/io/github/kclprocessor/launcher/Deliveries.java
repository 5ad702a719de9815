package io.github.kclprocessor.launcher;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Which of a shard's deliveries its record processor gets: all that hold records, and of the empty ones
 * as many as its checkpoints, its figures and what it has in doubt need.
 *
 * <p>A delivery costs a message there and back and a turn of two processes, as often as the shard is read.
 */
final class Deliveries {
    private static final long EMPTY_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** After a minute without records there is nothing left to be recorded. */
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long QUIET_EMPTY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final LongSupplier nanos;
    private boolean begun;
    private long delivered;
    private long filled;

    Deliveries(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** Whether a delivery is to be made now; one that holds records always is. */
    boolean isDue(boolean holdsRecords) {
        long now = nanos.getAsLong();
        if (holdsRecords || !begun) {
            begun = true;
            filled = now;
        } else if (now - delivered < (now - filled < QUIET_NANOS ? EMPTY_NANOS : QUIET_EMPTY_NANOS)) {
            return false;
        }
        delivered = now;
        return true;
    }
}

package io.github.kclprocessor.launcher;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Where a shard's records wait while they are paused, or this worker is throttled, or has used up its share of a limit.
 *
 * <p>The shard keeps its lease meanwhile, and its record processor gets empty deliveries, at which it checkpoints
 * and shows that it lives.
 */
final class Outlet {
    private static final long TURN_MILLIS = 250;

    private final Pauses pauses;
    private final Throttle throttle;
    private final WriteAccount account;
    private final BooleanSupplier ending;

    /** @param ending whether the daemon's end has begun */
    Outlet(Pauses pauses, Throttle throttle, WriteAccount account, BooleanSupplier ending) {
        this.pauses = pauses;
        this.throttle = throttle;
        this.account = account;
        this.ending = ending;
    }

    /**
     * Waits until the first of some records may be let out.
     *
     * @param left not empty
     * @param idle called in each turn of the wait
     * @return how many may be; null if the shard is to be let go, and what waits is read again by whoever has it next
     */
    WriteAccount.Slice await(String shard, List<KinesisClientRecord> left, LeaseFence fence, Runnable idle) {
        return await(shard, fence, idle, () -> account.take(shard, left));
    }

    /** Tells that a slice is written, whatever became of it. */
    void written(WriteAccount.Slice slice) {
        account.written(slice);
    }

    /** As {@link #await}, for a shard's end: whether it may be passed on. */
    boolean awaitEnd(String shard, LeaseFence fence, Runnable idle) {
        return Boolean.TRUE.equals(await(shard, fence, idle, () -> true));
    }

    private <T> T await(String shard, LeaseFence fence, Runnable idle, Supplier<T> taken) {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (pauses.holds(shard) || throttle.holds()) {
                    account.leave(shard);
                } else {
                    T out = taken.get();
                    if (out != null) {
                        return out;
                    }
                }
                fence.refuseHandover();
                if (ending.getAsBoolean()) {
                    return null;
                }
                account.stepAside(shard);
                idle.run();
                account.await(shard, TURN_MILLIS);
            }
            return null;
        } catch (ShutdownException e) {
            return null;
        } finally {
            account.leave(shard);
        }
    }
}

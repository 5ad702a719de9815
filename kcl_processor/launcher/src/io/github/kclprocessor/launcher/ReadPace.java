package io.github.kclprocessor.launcher;

import software.amazon.kinesis.retrieval.polling.SleepTimeController;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/**
 * How often a shard is read: as often as asked while it has changes, in steps less often while it has
 * none.
 *
 * <p>The pace counts from the start of one read to the start of the next. The adapter's own counts
 * from the end, and a shard that lags loses the time of each read; and it halves the pace at a single
 * empty read. The state is the thread's own, for the KCL reads each shard on a thread of its own.
 */
final class ReadPace implements SleepTimeController {
    /** More than asked, so that a late start never makes six reads of a second that may have five. */
    private static final long MARGIN_MILLIS = 5;
    /** Empty reads in a row after each of which the pace halves, and how often it may. */
    private static final int EMPTY_READS_A_STEP = 10;
    private static final int STEPS = 2;

    private static final class Shard {
        long startedAt;
        int emptyReads;
    }

    private final ThreadLocal<Shard> shards = ThreadLocal.withInitial(Shard::new);

    @Override
    public long getSleepTimeMillis(SleepTimeControllerConfig read) {
        return sleepMillis(System.nanoTime() / 1_000_000, read.idleMillisBetweenCalls(), read.lastRecordsCount());
    }

    /** @param records how many the last read gave; null if it failed */
    long sleepMillis(long now, long idleMillis, Integer records) {
        Shard shard = shards.get();
        if (records != null) {
            shard.emptyReads = records > 0 ? 0 : shard.emptyReads + 1;
        }
        long interval = (idleMillis << Math.min(STEPS, shard.emptyReads / EMPTY_READS_A_STEP)) + MARGIN_MILLIS;
        // The first read here started unseen, and a failed one is followed by a whole pause.
        boolean counts = records != null && shard.startedAt != 0;
        long start = Math.max(now, (counts ? shard.startedAt : now) + interval);
        shard.startedAt = start;
        return start - now;
    }
}

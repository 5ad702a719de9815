package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import software.amazon.kinesis.retrieval.polling.SleepTimeController;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/**
 * How often a shard is read: as often as asked while it has changes, in steps less often while it has
 * none.
 *
 * <p>The adapter's own pauses after each read, so that a shard that lags loses the time its reads
 * take, and it halves the pace at a single empty read. Here a read starts a pause after the start of
 * the last one, and five pauses after the end of the fifth last: whenever in between the service saw
 * them, it never saw six in five pauses, which with 200 ms is its limit of five reads a second.
 * The state is the thread's own, for the KCL reads each shard on a thread of its own.
 */
final class ReadPace implements SleepTimeController {
    private static final int READS = 5;
    /** So many empty reads in a row halve the pace: two seconds of them. */
    private static final int FEW_EMPTY_READS = 10;
    /** And so many, two minutes of them, bring it down to a read a second. */
    private static final int MANY_EMPTY_READS = 300;
    private static final long QUIET_PAUSE_MILLIS = 1_000;

    private static final class Shard {
        final long[] ends = new long[READS];
        int reads;
        long started;
        int emptyReads;
    }

    private final ThreadLocal<Shard> shards = ThreadLocal.withInitial(Shard::new);

    @Override
    public long getSleepTimeMillis(SleepTimeControllerConfig read) {
        long now = System.nanoTime() / 1_000_000;
        Instant ended = read.lastSuccessfulCall();
        long since = ended == null ? 0 : Math.max(0, Duration.between(ended, Instant.now()).toMillis());
        return sleepMillis(now, now - since, read.idleMillisBetweenCalls(), read.lastRecordsCount());
    }

    /**
     * @param ended when the last read did
     * @param records how many it gave; null if it failed
     */
    long sleepMillis(long now, long ended, long pause, Integer records) {
        Shard shard = shards.get();
        if (records != null) {
            shard.emptyReads = records > 0 ? 0 : shard.emptyReads + 1;
        }
        shard.ends[shard.reads % READS] = ended;
        shard.reads++;
        // The first read started unseen, and a failed one is followed by a whole pause.
        long last = records == null || shard.reads == 1 ? now : shard.started;
        long start = last + pause(shard.emptyReads, pause);
        if (shard.reads >= READS) {
            start = Math.max(start, shard.ends[shard.reads % READS] + READS * pause);
        }
        shard.started = Math.max(now, start);
        return shard.started - now;
    }

    private static long pause(int emptyReads, long pause) {
        if (emptyReads < FEW_EMPTY_READS) {
            return pause;
        }
        return emptyReads < MANY_EMPTY_READS ? 2 * pause : longestMillis(pause);
    }

    /** Between two reads of a shard that has had no changes for long. */
    static long longestMillis(long pause) {
        return Math.max(2 * pause, QUIET_PAUSE_MILLIS);
    }
}

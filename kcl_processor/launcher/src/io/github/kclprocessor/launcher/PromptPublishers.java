package io.github.kclprocessor.launcher;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import java.util.concurrent.Executors;
import software.amazon.kinesis.metrics.MetricsFactory;
import software.amazon.kinesis.retrieval.GetRecordsRetrievalStrategy;
import software.amazon.kinesis.retrieval.RecordsPublisher;
import software.amazon.kinesis.retrieval.ThrottlingReporter;
import software.amazon.kinesis.retrieval.polling.PrefetchRecordsPublisher;
import software.amazon.kinesis.retrieval.polling.SimpleRecordsFetcherFactory;
import software.amazon.kinesis.retrieval.polling.SleepTimeController;

/**
 * Makes the KCL's publishers of records such that a shard which is let go is closed within a second.
 *
 * <p>The thread that reads ahead waits to put what it has read into a queue, which stays full once
 * nobody takes from it. The KCL gives that thread a minute before it interrupts it
 * ({@code PrefetchRecordsPublisher.shutdown}), and a stop that begins within the minute after the
 * end of a shard waits for it.
 */
final class PromptPublishers extends SimpleRecordsFetcherFactory {
    /** Two pauses between reads and a read; a thread that takes longer has nothing to lose. */
    private static final long CLOSE_MILLIS = 1_000;
    private static final int THROTTLES_BEFORE_ERROR = 5;

    @Override
    public RecordsPublisher createRecordsFetcher(GetRecordsRetrievalStrategy strategy, String shardId,
            MetricsFactory metrics, int maxRecords, SleepTimeController pace) {
        return new PrefetchRecordsPublisher(
                maxPendingProcessRecordsInput(), maxByteSize(), maxRecordsCount(), maxRecords, strategy,
                Executors.newSingleThreadExecutor(new ThreadFactoryBuilder()
                        .setDaemon(true)
                        .setNameFormat("prefetch-cache-" + shardId + "-%04d")
                        .build()),
                idleMillisBetweenCalls(), millisBehindLatestThresholdForReducedTps(), metrics, "ProcessTask", shardId,
                new ThrottlingReporter(THROTTLES_BEFORE_ERROR, shardId), CLOSE_MILLIS, pace);
    }
}

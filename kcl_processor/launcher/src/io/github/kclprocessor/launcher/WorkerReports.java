package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.DynamicMigrationComponentsInitializer;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.worker.metricstats.WorkerMetricStatsDAO;

/**
 * The list of those to whom the leader assigns leases, and takes a worker out of it.
 *
 * <p>The KCL goes on reporting its metrics until the last shard is told of a stop, and leaves its last
 * report, on which the leader counts for a while. The scheduler keeps to itself what reads and writes
 * those reports.
 */
final class WorkerReports {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerReports.class);
    private static final long LAST_REPORT_MILLIS = 1_000;
    private static final String COMPONENTS = "migrationComponentsInitializer";

    private WorkerReports() {}

    /**
     * Whether another worker has reported within a time, by its own clock. Where that cannot be told, or the clocks
     * differ by more, an answer costs a few seconds: of a failover time, or of an assignment at the next start.
     */
    static boolean others(Scheduler scheduler, String worker, Duration within) {
        try {
            Instant since = Instant.now().minus(within);
            return reports(Kept.read(scheduler, COMPONENTS)).getAllWorkerMetricStats().stream()
                    .filter(report -> !worker.equals(report.getWorkerId()))
                    .anyMatch(report -> Instant.ofEpochSecond(report.getLastUpdateTime()).isAfter(since));
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("Whether another worker lives is not known ({})", e.toString());
            return false;
        }
    }

    /** Ends a worker's reports and deletes the last; should that fail, the leader finds out by itself. */
    static void remove(Scheduler scheduler, String worker) {
        try {
            Object components = Kept.read(scheduler, COMPONENTS);
            ExecutorService reporter = (ExecutorService) Kept.read(components, "workerMetricsThreadPool");
            reporter.shutdown();
            reporter.awaitTermination(LAST_REPORT_MILLIS, TimeUnit.MILLISECONDS);
            WorkerMetricStatsDAO reports = reports(components);
            reports.getAllWorkerMetricStats().stream()
                    .filter(report -> worker.equals(report.getWorkerId()))
                    .forEach(reports::deleteMetrics);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("The leader may still assign leases to {}, for some seconds ({})", worker, e.toString());
        }
    }

    private static WorkerMetricStatsDAO reports(Object components) {
        return ((DynamicMigrationComponentsInitializer) components).workerMetricsDAO();
    }
}

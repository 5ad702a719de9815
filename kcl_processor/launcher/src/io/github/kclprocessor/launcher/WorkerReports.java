package io.github.kclprocessor.launcher;

import java.lang.reflect.Field;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.DynamicMigrationComponentsInitializer;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.worker.metricstats.WorkerMetricStatsDAO;

/**
 * Takes a worker out of the list of those to whom the leader assigns leases.
 *
 * <p>The KCL stops reporting its metrics at a stop and leaves its last report, on which the leader
 * counts for a while. The scheduler keeps to itself what reads and writes those reports.
 */
final class WorkerReports {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerReports.class);

    private WorkerReports() {}

    /** Deletes a worker's report; should that fail, the leader finds out by itself. */
    static void remove(Scheduler scheduler, String worker) {
        try {
            Field field = Scheduler.class.getDeclaredField("migrationComponentsInitializer");
            field.setAccessible(true);
            WorkerMetricStatsDAO reports =
                    ((DynamicMigrationComponentsInitializer) field.get(scheduler)).workerMetricsDAO();
            reports.getAllWorkerMetricStats().stream()
                    .filter(report -> worker.equals(report.getWorkerId()))
                    .forEach(reports::deleteMetrics);
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("The leader may still assign leases to {}, for some seconds ({})", worker, e.toString());
        }
    }
}

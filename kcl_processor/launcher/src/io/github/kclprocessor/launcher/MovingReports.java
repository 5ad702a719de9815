package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.LeaderDecider;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.coordinator.assignment.LeaseAssignmentManager;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.worker.metricstats.WorkerMetricStats;
import software.amazon.kinesis.worker.metricstats.WorkerMetricStatsDAO;

/**
 * The workers' reports as the leader reads them: how old one is, is told by when it was seen to move.
 *
 * <p>The KCL compares the time that a worker writes into its report, by the clock of its host, with the leader's,
 * and has two seconds for the difference. A worker that died with a clock that was ahead is alive for as long as
 * that; its shards stay with it, and others are given to it. One whose clock is behind never gets any.
 */
final class MovingReports extends WorkerMetricStatsDAO {
    private static final Logger LOG = LoggerFactory.getLogger(MovingReports.class);
    /** Looks that are further apart, and than two rounds are, do not tell when in between a report moved. */
    private static final Duration CLOSE = Duration.ofSeconds(10);
    /** What a report's time may be ahead by to be believed before it was seen to move. */
    private static final long AHEAD_SECONDS = 2;

    private final long closeNanos;
    private final LongSupplier nanos;
    private final LongSupplier epochSeconds;
    private Map<String, Seen> seen = Map.of();
    private long lookedAt;

    /** A report, since when it is the same, and whether it was seen to become so. */
    private static final class Seen {
        final Long time;
        final long since;
        final boolean moved;

        Seen(Long time, long since, boolean moved) {
            this.time = time;
            this.since = since;
            this.moved = moved;
        }
    }

    MovingReports(LeaseManagementConfig leases, LongSupplier nanos, LongSupplier epochSeconds) {
        super(leases.dynamoDBClient(), leases.workerUtilizationAwareAssignmentConfig().workerMetricsTableConfig(),
                leases.workerUtilizationAwareAssignmentConfig().workerMetricsReporterFreqInMillis());
        this.closeNanos = Math.max(
                CLOSE.toNanos(), 2 * TimeUnit.MILLISECONDS.toNanos(leases.leaseAssignmentIntervalMillis()));
        this.nanos = nanos;
        this.epochSeconds = epochSeconds;
        this.lookedAt = nanos.getAsLong();
    }

    /** Has a scheduler's leader read the reports so, before it is started. */
    @SuppressWarnings("unchecked")
    static void install(Scheduler scheduler) {
        try {
            MovingReports reports = new MovingReports(scheduler.leaseManagementConfig(), System::nanoTime,
                    () -> TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis()));
            Object components = Kept.read(scheduler, "migrationComponentsInitializer");
            BiFunction<ScheduledExecutorService, LeaderDecider, LeaseAssignmentManager> kcls =
                    (BiFunction<ScheduledExecutorService, LeaderDecider, LeaseAssignmentManager>)
                            Kept.read(components, "lamCreator");
            BiFunction<ScheduledExecutorService, LeaderDecider, LeaseAssignmentManager> ours =
                    (rounds, leader) -> reports.readBy(kcls.apply(rounds, leader));
            Kept.field(components, "lamCreator").set(components, ours);
        } catch (ReflectiveOperationException | RuntimeException e) {
            tell(e);
        }
    }

    private LeaseAssignmentManager readBy(LeaseAssignmentManager leader) {
        try {
            Kept.field(leader, "workerMetricsDAO").set(leader, this);
        } catch (ReflectiveOperationException | RuntimeException e) {
            tell(e);
        }
        return leader;
    }

    private static void tell(Exception e) {
        LOG.warn("In this KCL a worker whose clock is wrong may seem to live, or not to ({})", e.toString());
    }

    @Override
    public List<WorkerMetricStats> getAllWorkerMetricStats() {
        return timed(super.getAllWorkerMetricStats());
    }

    /** Gives reports the times at which they moved, by the clock of this host. */
    synchronized List<WorkerMetricStats> timed(List<WorkerMetricStats> reports) {
        long now = nanos.getAsLong();
        boolean close = now - lookedAt <= closeNanos;
        lookedAt = now;
        Map<String, Seen> before = seen;
        seen = new HashMap<>();
        for (WorkerMetricStats report : reports) {
            if (report.getLastUpdateTime() != null) {
                Seen last = look(before.get(report.getWorkerId()), report, now, close);
                seen.put(report.getWorkerId(), last);
                report.setLastUpdateTime(time(last, now));
            }
        }
        return reports;
    }

    private static Seen look(Seen before, WorkerMetricStats report, long now, boolean close) {
        Long time = report.getLastUpdateTime();
        return before != null && before.time.equals(time) ? before : new Seen(time, now, before != null && close);
    }

    private long time(Seen report, long now) {
        long here = epochSeconds.getAsLong();
        long stood = here - TimeUnit.NANOSECONDS.toSeconds(now - report.since);
        if (report.moved) {
            return stood;
        }
        return report.time <= here + AHEAD_SECONDS ? Math.min(report.time, stood) : stood - CLOSE.toSeconds();
    }

    /** On the condition that its time is the one that the worker wrote. */
    @Override
    public boolean deleteMetrics(WorkerMetricStats report) {
        synchronized (this) {
            Seen last = seen.get(report.getWorkerId());
            if (last != null) {
                report.setLastUpdateTime(last.time);
            }
        }
        return super.deleteMetrics(report);
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemRequest;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemResponse;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.worker.metricstats.WorkerMetricStats;

class MovingReportsTest {
    private static final long NOW = 1_700_000_000L;
    private static final long HOUR = 3_600;
    /** A worker is alive for the KCL whose report is no older ({@code computeWorkerExpiryThresholdInSecond}). */
    private static final long ALIVE = 2;

    private final AtomicReference<DeleteItemRequest> deleted = new AtomicReference<>();
    private long passed;
    private long clock = NOW;
    private final MovingReports reports = new MovingReports(
            leases(), () -> TimeUnit.SECONDS.toNanos(passed), () -> clock);

    private LeaseManagementConfig leases() {
        DynamoDbAsyncClient client = Fake.of(DynamoDbAsyncClient.class, (method, arguments) -> {
            deleted.set((DeleteItemRequest) arguments[0]);
            return CompletableFuture.completedFuture(DeleteItemResponse.builder().build());
        });
        return new LeaseManagementConfig("table", "application", client, null, "me");
    }

    private static WorkerMetricStats report(String worker, Long time) {
        return WorkerMetricStats.builder().workerId(worker).lastUpdateTime(time).build();
    }

    /** The time that the leader reads a second later. */
    private Long look(Long time) {
        passed++;
        clock++;
        return reports.timed(List.of(report("w", time))).get(0).getLastUpdateTime();
    }

    private boolean lives(Long time) {
        return look(time) >= clock - ALIVE;
    }

    /** A worker that died with its clock ahead lives for no longer than one whose clock is right. */
    @Test
    void deadAhead() {
        assertFalse(lives(NOW + HOUR), "nobody has seen it move");
        assertTrue(lives(NOW + HOUR + 1));
        assertTrue(lives(NOW + HOUR + 2));
        for (int second = 0; second <= ALIVE; second++) {
            lives(NOW + HOUR + 2);
        }
        assertFalse(lives(NOW + HOUR + 2));
    }

    /** One whose clock is behind lives as long as its report moves. */
    @Test
    void behind() {
        assertFalse(lives(NOW - HOUR));
        assertTrue(lives(NOW - HOUR + 1));
        assertTrue(lives(NOW - HOUR + 2));
    }

    /** So does one whose clock is set, and where the leader's is. */
    @Test
    void set() {
        lives(NOW);
        assertTrue(lives(NOW - HOUR));
        clock += HOUR;
        assertTrue(lives(NOW - HOUR + 1));
        clock -= 2 * HOUR;
        assertTrue(lives(NOW - HOUR + 2));
    }

    /** At the first look what a worker says counts, which a start need not wait for. */
    @Test
    void first() {
        assertTrue(lives(NOW + 1));
        MovingReports others = new MovingReports(leases(), () -> 0, () -> NOW);
        assertFalse(others.timed(List.of(report("w", NOW - 5))).get(0).getLastUpdateTime() >= NOW - ALIVE);
    }

    /** Of what moved between two looks that are far apart it counts, too. */
    @Test
    void farApart() {
        lives(NOW);
        passed += HOUR;
        clock += HOUR;
        assertFalse(lives(NOW + 5));
    }

    /** Where the leader looks seldom, as a setting may have it, a worker whose clock is ahead lives all the same. */
    @Test
    void seldomLooks() {
        long minute = 60;
        LeaseManagementConfig seldom = leases().leaseAssignmentIntervalMillis(TimeUnit.SECONDS.toMillis(minute));
        MovingReports others = new MovingReports(seldom, () -> TimeUnit.SECONDS.toNanos(passed), () -> clock);
        others.timed(List.of(report("w", NOW + HOUR)));
        passed += minute;
        clock += minute;
        assertTrue(others.timed(List.of(report("w", NOW + HOUR + minute))).get(0).getLastUpdateTime() >= clock - ALIVE);
        passed += minute;
        clock += minute;
        assertFalse(others.timed(List.of(report("w", NOW + HOUR + minute))).get(0).getLastUpdateTime() >= clock - ALIVE);
    }

    /** What has no time is left to the KCL, which passes over it. */
    @Test
    void withoutTime() {
        assertNull(look(null));
    }

    /** A report that is deleted is told by the time that its worker wrote. */
    @Test
    void deleted() {
        WorkerMetricStats report = report("w", NOW + HOUR);
        reports.timed(List.of(report));
        assertTrue(report.getLastUpdateTime() < NOW);
        reports.deleteMetrics(report);
        assertEquals(Long.toString(NOW + HOUR), deleted.get().expressionAttributeValues().get(":value").n());
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.LeaseRenewer;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseCoordinator;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class SteadyRenewalTest {
    private static final Duration FAILOVER = Duration.ofSeconds(10);
    private static final int THREADS = 20;

    private final CountDownLatch atOnce = new CountDownLatch(THREADS);
    private boolean ours = true;
    private final LeaseRefresher table = Fake.of(LeaseRefresher.class, (method, arguments) -> {
        // A renewal waits for all that may be under way with it.
        atOnce.countDown();
        return atOnce.await(20, TimeUnit.SECONDS) && ours;
    });
    private final LeaseCoordinator coordinator = SteadyRenewal.of(coordinator(), FAILOVER);

    private LeaseCoordinator coordinator() {
        LeaseManagementConfig config = new LeaseManagementConfig("leases", "task", new FakeLeaseTable(), null, "host-1");
        return new DynamoDBLeaseCoordinator(table, "host-1", FAILOVER.toMillis(), false, 25, 1000, 1, THREADS, 10, 10,
                new NullMetricsFactory(), config.workerUtilizationAwareAssignmentConfig(),
                config.gracefulLeaseHandoffConfig(), new ConcurrentHashMap<>(), 1000);
    }

    private void hold(int leases, Duration late) throws ReflectiveOperationException {
        for (int number = 0; number < leases; number++) {
            Lease lease = new Lease();
            lease.leaseKey("shardId-" + number);
            lease.leaseOwner("host-1");
            lease.checkpoint(new ExtendedSequenceNumber("7"));
            lease.lastCounterIncrementNanos(System.nanoTime() - late.toNanos());
            ((LeaseRenewer) Kept.read(coordinator, "leaseRenewer")).addLeasesToRenew(List.of(lease));
        }
    }

    /** A lease that is renewed late stays, and is taken up once: its holder has the token that it had. */
    @Test
    void lateIsNotLost() throws Exception {
        hold(THREADS, FAILOVER.multipliedBy(2));
        Object token = coordinator.getCurrentlyHeldLease("shardId-3").concurrencyToken();
        coordinator.runLeaseRenewer();
        assertEquals(THREADS, coordinator.getAssignments().size());
        assertSame(token, coordinator.getCurrentlyHeldLease("shardId-3").concurrencyToken());
    }

    /** Late or not, a lease that another has taken is lost with its renewal. */
    @Test
    void takenIsLost() throws Exception {
        ours = false;
        hold(THREADS, FAILOVER.multipliedBy(2));
        assertNotNull(coordinator.getCurrentlyHeldLease("shardId-3"));
        coordinator.runLeaseRenewer();
        assertEquals(0, coordinator.getAssignments().size());
    }

    /** A table that is out of reach for long is given up. */
    @Test
    void outOfReach() throws Exception {
        hold(1, FAILOVER.multipliedBy(SteadyRenewal.PATIENCE + 1));
        assertNull(coordinator.getCurrentlyHeldLease("shardId-0"));
    }
}

package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.concurrent.ThreadPoolExecutor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.leases.LeaseCoordinator;

/**
 * Renews leases at the KCL's pace, and lets none go for being late.
 *
 * <p>The KCL lets a lease go that it has not renewed for the failover time, though nobody else has taken
 * it, and takes it up again half a second later: the shard's record processor ends and another starts. On
 * a host without CPU to spare this is what makes the next lease late. A renewal is a write on the condition
 * that nobody else has written to the lease, and so is the proof without which nothing is written to the
 * destination ({@link LeaseFence}): a late lease is still held if its renewal succeeds, and lost if not.
 */
final class SteadyRenewal {
    private static final Logger LOG = LoggerFactory.getLogger(SteadyRenewal.class);
    /** So many failover times late, a lease is let go as before: its table is out of reach. */
    static final int PATIENCE = 6;

    private SteadyRenewal() {}

    /**
     * Makes a coordinator's renewals steady, before it is started.
     *
     * @param failover after how long without a renewal another worker takes a lease
     */
    static LeaseCoordinator of(LeaseCoordinator coordinator, Duration failover) {
        try {
            Object renewer = Kept.read(coordinator, "leaseRenewer");
            Kept.field(renewer, "leaseDurationNanos").set(renewer, failover.multipliedBy(PATIENCE).toNanos());
            // Its threads wait in an endless queue, for which a pool never grows beyond its core, a quarter.
            ThreadPoolExecutor threads = (ThreadPoolExecutor) Kept.read(coordinator, "leaseRenewalThreadpool");
            threads.setCorePoolSize(threads.getMaximumPoolSize());
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("With many shards this KCL may lose leases that it renews late, and take them again ({})",
                    e.toString());
        }
        return coordinator;
    }
}

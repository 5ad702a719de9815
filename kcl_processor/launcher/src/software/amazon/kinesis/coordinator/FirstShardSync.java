package software.amazon.kinesis.coordinator;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates the leases of a first start without the KCL's wait for them.
 *
 * <p>{@code Scheduler.shouldInitiateLeaseSync} waits for a random time of up to 30 s while the lease
 * table is empty, so that of a large fleet that starts together one worker lists the stream. A lease
 * is created on the condition that it does not exist, so several workers may do so at once; with
 * leases in the table the wait ends. It lives in this package because the manager of shard syncs is
 * package-private.
 */
public final class FirstShardSync {
    private static final Logger LOG = LoggerFactory.getLogger(FirstShardSync.class);

    private FirstShardSync() {}

    /**
     * Creates leases if there are none to read, as on a new stream, too, whose first would come after
     * a minute; should that fail, the KCL tries again in its own time.
     */
    public static void run(Scheduler scheduler) {
        try {
            scheduler.leaseCoordinator().initialize();
            if (scheduler.leaseRefresher().listLeases().stream().allMatch(lease -> lease.checkpoint().isShardEnd())) {
                scheduler.leaderElectedPeriodicShardSyncManager().syncShardsOnce();
            }
        } catch (Exception | LinkageError e) {
            LOG.warn("The first leases are left to the KCL, which waits for up to 30 s ({})", e.toString());
        }
    }
}

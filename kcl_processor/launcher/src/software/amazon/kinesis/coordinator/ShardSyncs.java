package software.amazon.kinesis.coordinator;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.leases.Lease;

/**
 * Shard syncs that do not wait for the KCL's time.
 *
 * <p>{@code Scheduler.shouldInitiateLeaseSync} waits for a random time of up to 30 s while the lease
 * table is empty, so that of a large fleet that starts together one worker lists the stream. A lease
 * is created on the condition that it does not exist, so several workers may do so at once; with
 * leases in the table the wait ends. It lives in this package because the manager of shard syncs is
 * package-private.
 */
public final class ShardSyncs {
    private static final Logger LOG = LoggerFactory.getLogger(ShardSyncs.class);

    private ShardSyncs() {}

    /**
     * Creates leases at a start if there are none to read, as on a new stream, too, or if a shard has
     * ended whose children have none; should that fail, the KCL tries again in its own time.
     */
    public static void first(Scheduler scheduler) {
        try {
            scheduler.leaseCoordinator().initialize();
            List<Lease> leases = scheduler.leaseRefresher().listLeases();
            if (leases.isEmpty() || !childless(leases, lease -> false).isEmpty()) {
                now(scheduler);
            }
        } catch (Exception | LinkageError e) {
            LOG.warn("The first leases are left to the KCL, which waits for up to 30 s ({})", e.toString());
        }
    }

    /** Creates the leases that are missing, and returns the parents of all that there are. */
    public static Set<String> now(Scheduler scheduler) throws Exception {
        scheduler.leaderElectedPeriodicShardSyncManager().syncShardsOnce();
        return parents(scheduler.leaseRefresher().listLeases());
    }

    /**
     * Shards that were read to their end, and of whose children none has a lease.
     *
     * @param gone says which others have no more to be read
     */
    public static Set<String> childless(List<Lease> leases, Predicate<Lease> gone) {
        Set<String> parents = parents(leases);
        return leases.stream().filter(lease -> lease.checkpoint().isShardEnd() || gone.test(lease))
                .map(Lease::leaseKey).filter(shard -> !parents.contains(shard)).collect(Collectors.toSet());
    }

    private static Set<String> parents(List<Lease> leases) {
        return leases.stream().flatMap(lease -> lease.parentShardIds().stream()).collect(Collectors.toSet());
    }
}

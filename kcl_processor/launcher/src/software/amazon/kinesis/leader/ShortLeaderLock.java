package software.amazon.kinesis.leader;

import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClient;
import io.github.kclprocessor.launcher.Kept;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.CoordinatorStateDAO;
import software.amazon.kinesis.coordinator.DynamicMigrationComponentsInitializer;

/**
 * Shortens the lease of the lock that the fleet's leader holds.
 *
 * <p>The KCL fixes it at two minutes, and for as long a fleet whose leader was killed assigns no
 * shard.
 */
public final class ShortLeaderLock {
    private static final Logger LOG = LoggerFactory.getLogger(ShortLeaderLock.class);
    /**
     * For so long a lock outlives its leader. The lock client asks for at least three heartbeats
     * within a lease; the fourth leaves room for one that is late.
     */
    private static final long LEASE_MILLIS = 12_000;
    private static final long HEARTBEAT_MILLIS = LEASE_MILLIS / 4;

    private ShortLeaderLock() {}

    /**
     * Puts a shorter lock in the place of a scheduler's own.
     *
     * @param scheduler a {@code Scheduler} that has not been started
     * @return false, with a warning logged, if this KCL keeps its lock elsewhere
     */
    public static boolean install(Object scheduler) {
        try {
            DynamicMigrationComponentsInitializer components =
                    (DynamicMigrationComponentsInitializer) Kept.read(scheduler, "migrationComponentsInitializer");
            CoordinatorStateDAO state = (CoordinatorStateDAO) Kept.read(components, "coordinatorStateDAO");
            Supplier<DynamoDBLockBasedLeaderDecider> creator = () -> create(components, state);
            Kept.field(components, "ddbLockBasedLeaderDeciderCreator").set(components, creator);
            return true;
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("This KCL's leader lock cannot be shortened; after the loss of the leader,"
                    + " shards stay unread for up to two minutes ({})", e.toString());
            return false;
        }
    }

    private static DynamoDBLockBasedLeaderDecider create(
            DynamicMigrationComponentsInitializer components, CoordinatorStateDAO state) {
        String worker = components.workerIdentifier();
        AmazonDynamoDBLockClient client = new AmazonDynamoDBLockClient(state.getDDBLockClientOptionsBuilder()
                .withTimeUnit(TimeUnit.MILLISECONDS)
                .withLeaseDuration(LEASE_MILLIS)
                .withHeartbeatPeriod(HEARTBEAT_MILLIS)
                .withCreateHeartbeatBackgroundThread(true)
                .withOwnerName(worker)
                .build());
        // The scheduler makes its lock as it is initialized, on the thread that it runs on from then on.
        return new LeaderLock(
                state, client, HEARTBEAT_MILLIS, worker, components.metricsFactory(), Thread.currentThread());
    }
}

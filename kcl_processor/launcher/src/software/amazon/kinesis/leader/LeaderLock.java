package software.amazon.kinesis.leader;

import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClient;
import software.amazon.kinesis.coordinator.CoordinatorStateDAO;
import software.amazon.kinesis.metrics.MetricsFactory;

/**
 * The leader's lock, which is not taken once more while it is given up.
 *
 * <p>The KCL gives it up without waiting for a thread that is just taking it; the fleet then has no
 * leader until the lock of the worker that has ended expires. It lives in this package for the
 * sake of {@link ShortLeaderLock}.
 */
public final class LeaderLock extends DynamoDBLockBasedLeaderDecider {
    private volatile boolean leads;

    LeaderLock(CoordinatorStateDAO state, AmazonDynamoDBLockClient client, long heartbeatMillis, String worker,
            MetricsFactory metrics) {
        super(state, client, heartbeatMillis, worker, metrics);
    }

    @Override
    public synchronized Boolean isLeader(String worker) {
        leads = super.isLeader(worker);
        return leads;
    }

    /** What {@link #isLeader} answered last, without a request; the scheduler asks four times a second. */
    public boolean leads() {
        return leads;
    }

    @Override
    public synchronized void releaseLeadershipIfHeld() {
        super.releaseLeadershipIfHeld();
    }

    @Override
    public synchronized void shutdown() {
        super.shutdown();
        leads = false;
    }
}

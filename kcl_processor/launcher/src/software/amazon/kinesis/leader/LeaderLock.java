package software.amazon.kinesis.leader;

import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClient;
import io.github.kclprocessor.launcher.Kept;
import java.lang.reflect.Field;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.coordinator.CoordinatorStateDAO;
import software.amazon.kinesis.metrics.MetricsFactory;

/**
 * The leader's lock, which is not taken once more while it is given up, and not asked for in vain.
 *
 * <p>The KCL gives it up without waiting for a thread that is just taking it; the fleet then has no
 * leader until the lock of the worker that has ended expires.
 *
 * <p>The scheduler asks who leads each time it looks after its shards, four times a second, and its shards
 * wait for the answer, which matters for several streams only: it has the one that the rounds of the leader
 * were given last, a second ago.
 *
 * <p>It lives in this package for the sake of {@link ShortLeaderLock}.
 */
public final class LeaderLock extends DynamoDBLockBasedLeaderDecider {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderLock.class);

    private final Thread scheduler;
    private volatile boolean leads;

    LeaderLock(CoordinatorStateDAO state, AmazonDynamoDBLockClient client, long heartbeatMillis, String worker,
            MetricsFactory metrics, Thread scheduler) {
        super(state, client, heartbeatMillis, worker, metrics);
        this.scheduler = scheduler;
    }

    @Override
    public Boolean isLeader(String worker) {
        return Thread.currentThread() == scheduler ? leads : ask(worker);
    }

    private synchronized boolean ask(String worker) {
        forgetLaterAsk();
        leads = super.isLeader(worker);
        return leads;
    }

    /**
     * Asks again where the last time lies ahead, because the clock was set back since: the KCL would not, and this
     * worker would not lead, before that time comes once more.
     */
    private void forgetLaterAsk() {
        try {
            Field last = Kept.field(this, "lastCheckTimeInMillis");
            if (last.getLong(this) > System.currentTimeMillis()) {
                last.setLong(this, 0);
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.debug("Where the clock is set back, this KCL does not ask who leads for as long ({})", e.toString());
        }
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

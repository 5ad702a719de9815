package software.amazon.kinesis.leader;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClient;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClientOptions;
import io.github.kclprocessor.launcher.Kept;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemResponse;
import software.amazon.awssdk.services.dynamodb.model.GetItemResponse;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.PutItemResponse;
import software.amazon.kinesis.metrics.NullMetricsFactory;

class LeaderLockTest {
    private final Map<String, Map<String, AttributeValue>> table = new ConcurrentHashMap<>();
    private final CountDownLatch taking = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private volatile boolean slow;

    /** A lock table of one row, whose write can be made to wait. */
    private Object answer(String operation, Object request) throws InterruptedException {
        switch (operation) {
            case "getItem":
                return GetItemResponse.builder().item(table.get("lock")).build();
            case "putItem":
                if (slow) {
                    taking.countDown();
                    assertTrue(goOn.await(20, TimeUnit.SECONDS));
                }
                table.put("lock", ((PutItemRequest) request).item());
                return PutItemResponse.builder().build();
            case "deleteItem":
                table.remove("lock");
                return DeleteItemResponse.builder().build();
            default:
                throw new UnsupportedOperationException(operation);
        }
    }

    private LeaderLock lock() {
        return lock(new Thread());
    }

    private LeaderLock lock(Thread scheduler) {
        DynamoDbClient client = (DynamoDbClient) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {DynamoDbClient.class},
                (self, method, arguments) -> answer(method.getName(), arguments == null ? null : arguments[0]));
        return new LeaderLock(null, new AmazonDynamoDBLockClient(
                AmazonDynamoDBLockClientOptions.builder(client, "table")
                        .withPartitionKeyName("key")
                        .withTimeUnit(TimeUnit.MILLISECONDS)
                        .withLeaseDuration(60_000L)
                        .withHeartbeatPeriod(10_000L)
                        .withCreateHeartbeatBackgroundThread(false)
                        .withOwnerName("me")
                        .build()), 10_000L, "me", new NullMetricsFactory(), scheduler);
    }

    /** A worker that takes the lock leads, until it gives it up. */
    @Test
    void takenAndGivenUp() {
        LeaderLock lock = lock();
        assertTrue(lock.isLeader("me"));
        lock.shutdown();
        assertFalse(lock.isLeader("me"));
        assertEquals(Map.of(), table);
    }

    /** The scheduler is told what others were told last, and the table is not asked for it. */
    @Test
    void schedulerDoesNotAsk() {
        LeaderLock lock = lock(Thread.currentThread());
        assertFalse(lock.isLeader("me"));
        assertEquals(Map.of(), table);
        assertTrue(CompletableFuture.supplyAsync(() -> lock.isLeader("me")).join());
        table.clear();
        assertTrue(lock.isLeader("me"));
        lock.shutdown();
        assertFalse(lock.isLeader("me"));
    }

    /** A worker that asks in vain does so again a while later, though the clock was set back since. */
    @Test
    void clockIsSetBack() throws Exception {
        LeaderLock lock = lock();
        table.put("lock", Map.of("key", AttributeValue.fromS("Leader"), "ownerName", AttributeValue.fromS("other"),
                "leaseDuration", AttributeValue.fromS("60000"), "recordVersionNumber", AttributeValue.fromS("1")));
        assertFalse(lock.isLeader("me"));
        Kept.field(lock, "lastCheckTimeInMillis").set(lock, System.currentTimeMillis() + 3_600_000);
        table.clear();
        assertTrue(lock.isLeader("me"));
    }

    /** A lock that is being taken as the worker stops is given up, too. */
    @Test
    void givenUpWhileItIsTaken() throws Exception {
        LeaderLock lock = lock();
        slow = true;
        CompletableFuture<Boolean> taken = CompletableFuture.supplyAsync(() -> lock.isLeader("me"));
        assertTrue(taking.await(20, TimeUnit.SECONDS));
        Thread stop = new Thread(lock::shutdown);
        stop.start();
        while (stop.isAlive() && stop.getState() != Thread.State.BLOCKED) {
            Thread.onSpinWait();
        }
        goOn.countDown();
        taken.get(20, TimeUnit.SECONDS);
        stop.join(20_000);
        assertEquals(Map.of(), table);
    }
}

package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.StreamRecord;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.kinesis.model.Shard;

/**
 * Where each shard begins: a sequence number beside the checkpoint of its lease.
 *
 * <p>A shard without a checkpoint is read from TRIM_HORIZON, and an iterator there begins at the
 * oldest change that is left, whatever was before it. One at a sequence number fails if that has been
 * trimmed. So the number is written down with the lease, and asked for when the shard is taken up.
 * Nothing is read from it: whether the stream calls the first change's number a shard's start or a
 * lower one, it is gone once a change is.
 */
final class Begins {
    static final String ATTRIBUTE = "beginSequenceNumber";
    /** When a begin was found that is the oldest change left, in milliseconds since the epoch. */
    static final String FOUND = "beginFoundAt";
    /** Of the time for which a stream keeps a change, an hour is for unlike clocks. */
    private static final Duration SURELY_KEPT = Gap.KEPT.minusHours(1);
    /**
     * What leaves the stream so soon after a replica's first start was made before the copy that the start
     * goes on from (one that began 23 hours ago is refused), and the oldest change left is the next to leave.
     */
    private static final Duration FRESH = Gap.KEPT.minus(SURELY_KEPT);
    /** By then a shard has left the stream, or has its lease. While a list is on its way, leases are made, too. */
    private static final Duration REMEMBERED = Gap.KEPT.multipliedBy(3);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final SourceStream stream;
    private final DynamoDbAsyncClient client;
    private final String leaseTable;
    private final Map<String, String> starts = new ConcurrentHashMap<>();
    private final Set<String> whole = ConcurrentHashMap.newKeySet();
    private final Set<String> unread = ConcurrentHashMap.newKeySet();

    /** @param client the lease table's */
    Begins(SourceStream stream, DynamoDbAsyncClient client, String leaseTable) {
        this.stream = stream;
        this.client = client;
        this.leaseTable = leaseTable;
    }

    /** A list of all shards begins; the older ones that it does not bring have left the stream. */
    void listing() {
        starts.keySet().removeIf(shard -> isOlderThan(REMEMBERED, shard));
        unread.removeIf(shard -> isOlderThan(REMEMBERED, shard));
    }

    /** Remembers where shards start that DescribeStream has listed. */
    void listed(Collection<Shard> shards) {
        for (Shard shard : shards) {
            String start = shard.sequenceNumberRange().startingSequenceNumber();
            if (start != null) {
                starts.put(shard.shardId(), start);
            }
        }
    }

    /** A shard is to be read whole, whatever has a lease; what leaves the stream until it gets its own is told. */
    void toBeWhole(String shard) {
        whole.add(shard);
    }

    /**
     * Where a shard begins that gets its lease now, as attributes of the lease: at its start, unless that has
     * been trimmed.
     *
     * <p>A first start meets such shards, and begins at what is left. Later on one below a shard that has a lease
     * was to be read whole, and its gap is stated when it is taken up.
     */
    Map<String, AttributeValue> ofNew(String shard, Collection<String> parents) {
        String start = starts.get(shard);
        if (start == null) {
            return Map.of();
        }
        Map<String, AttributeValue> atStart = Map.of(ATTRIBUTE, AttributeValue.fromS(start));
        if (!isOlderThan(SURELY_KEPT, shard)) {
            return atStart;
        }
        try {
            stream.demand(shard, start);
            return atStart;
        } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
            if (whole.contains(shard) || parents.stream().map(this::row)
                    .anyMatch(parent -> !parent.isEmpty() && !isFresh(parent.get(FOUND)))) {
                return atStart;
            }
            Map<String, AttributeValue> found = new HashMap<>();
            found.put(FOUND, AttributeValue.fromN(Long.toString(Instant.now().toEpochMilli())));
            stream.oldestLeft(shard).map(StreamRecord::sequenceNumber)
                    .ifPresent(oldest -> found.put(ATTRIBUTE, AttributeValue.fromS(oldest)));
            return found;
        }
    }

    private Map<String, AttributeValue> row(String shard) {
        return answer(shard, client.getItem(ask -> ask.tableName(leaseTable).key(key(shard)).consistentRead(true)
                .projectionExpression("leaseKey, " + ATTRIBUTE + ", " + FOUND))).item();
    }

    private static boolean isFresh(AttributeValue found) {
        return found != null
                && !Instant.ofEpochMilli(Long.parseLong(found.n())).isBefore(Instant.now().minus(FRESH));
    }

    /** Where a shard begins, if its lease says so; one that another library made does not. */
    Optional<Begin> of(String shard) {
        Map<String, AttributeValue> row = row(shard);
        return Optional.ofNullable(row.get(ATTRIBUTE)).map(begin -> new Begin(begin.s(), row.get(FOUND)));
    }

    /**
     * Makes sure that nothing of a shard has left the stream from its begin on; whether that could be told.
     *
     * @throws TrimmedDataAccessException if something has that was to be read
     */
    boolean demand(String shard, Begin begin) {
        try {
            return stream.demand(shard, begin.sequenceNumber);
        } catch (TrimmedDataAccessException e) {
            if (!isFresh(begin.found)) {
                throw e;
            }
            return true;
        }
    }

    /** Where a shard begins, as its lease says. */
    static final class Begin {
        final String sequenceNumber;
        /** Null unless it was found as the oldest change left. */
        private final AttributeValue found;

        private Begin(String sequenceNumber, AttributeValue found) {
            this.sequenceNumber = sequenceNumber;
            this.found = found;
        }
    }

    /** Writes down where a shard begins, unless its lease says so already, or is gone. */
    void note(String shard, String sequenceNumber) {
        try {
            answer(shard, client.updateItem(ask -> ask.tableName(leaseTable).key(key(shard))
                    .updateExpression("SET " + ATTRIBUTE + " = :begin")
                    .conditionExpression("attribute_exists(leaseKey) AND attribute_not_exists(" + ATTRIBUTE + ")")
                    .expressionAttributeValues(Map.of(":begin", AttributeValue.fromS(sequenceNumber)))));
        } catch (ConditionalCheckFailedException e) {
            Connectors.LOG.debug("The begin of shard {} stays as it is", shard);
        }
    }

    /**
     * Writes down where a shard starts that is not read yet, if its lease, of a reset or of another library, does
     * not say so: it may wait for its parent until it is trimmed. Looks at each shard once.
     *
     * <p>What has left it by now is no loss: a reset takes what is left.
     */
    void noteUnread(String shard) {
        String start = starts.get(shard);
        if (start == null || unread.contains(shard)) {
            return;
        }
        if (!of(shard).isPresent() && isLeft(shard, start)) {
            note(shard, start);
        }
        unread.add(shard);
    }

    private boolean isLeft(String shard, String start) {
        try {
            return stream.demand(shard, start);
        } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
            return false;
        }
    }

    private static Map<String, AttributeValue> key(String shard) {
        return Map.of("leaseKey", AttributeValue.fromS(shard));
    }

    private static boolean isOlderThan(Duration age, String shard) {
        return Gap.created(shard).map(time -> time.isBefore(Instant.now().minus(age))).orElse(true);
    }

    /** Waits for the lease table, whose failures must not be taken for the stream's. */
    private <T> T answer(String shard, CompletableFuture<T> asked) {
        try {
            return asked.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException | TimeoutException e) {
            if (e.getCause() instanceof ConditionalCheckFailedException) {
                throw (ConditionalCheckFailedException) e.getCause();
            }
            throw new IllegalStateException("No answer about the lease of shard " + shard + " in " + leaseTable, e);
        }
    }
}

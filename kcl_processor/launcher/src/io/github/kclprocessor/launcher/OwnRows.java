package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;
import software.amazon.kinesis.coordinator.CoordinatorConfig.CoordinatorStateTableConfig;
import software.amazon.kinesis.coordinator.CoordinatorStateDAO;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.exceptions.LeasingException;

/**
 * Rows of this product's own in the KCL's coordinator state table, as {@code fleet/own_rows.py} has them:
 * several processes write them, so a row is replaced or removed only as it was read.
 */
final class OwnRows {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final String KEY = "key";

    private final DynamoDbAsyncClient client;
    private final String table;

    OwnRows(DynamoDbAsyncClient client, String table) {
        this.client = client;
        this.table = table;
    }

    /** Those beside a scheduler's state; the KCL makes the table at its own start, and it is needed before. */
    static OwnRows of(Scheduler scheduler) throws LeasingException {
        CoordinatorStateTableConfig state = scheduler.coordinatorConfig().coordinatorStateTableConfig();
        DynamoDbAsyncClient client = scheduler.leaseManagementConfig().dynamoDBClient();
        new CoordinatorStateDAO(client, state).initialize();
        return new OwnRows(client, state.tableName());
    }

    /** A row without its key, read consistently. */
    Optional<Map<String, AttributeValue>> read(String key) {
        Map<String, AttributeValue> row = withoutKey(
                answer(client.getItem(ask -> ask.tableName(table).key(key(key)).consistentRead(true))).item());
        return row.isEmpty() ? Optional.empty() : Optional.of(row);
    }

    /** Writes a row that nobody has written yet; whether that was so. */
    boolean create(String key, Map<String, AttributeValue> row) {
        return holds(client.putItem(put -> put.tableName(table).item(item(key, row))
                .conditionExpression("attribute_not_exists(#key)").expressionAttributeNames(Map.of("#key", KEY))));
    }

    /** Replaces a row; whether it was still as it was read. */
    boolean replace(String key, Map<String, AttributeValue> before, Map<String, AttributeValue> after) {
        Unchanged unchanged = new Unchanged(before);
        return holds(client.putItem(put -> put.tableName(table).item(item(key, after))
                .conditionExpression(unchanged.condition.toString())
                .expressionAttributeNames(unchanged.names).expressionAttributeValues(unchanged.values)));
    }

    /** Removes a row; whether it was still as it was read. */
    boolean remove(String key, Map<String, AttributeValue> before) {
        Unchanged unchanged = new Unchanged(before);
        return holds(client.deleteItem(delete -> delete.tableName(table).key(key(key))
                .conditionExpression(unchanged.condition.toString())
                .expressionAttributeNames(unchanged.names).expressionAttributeValues(unchanged.values)));
    }

    /**
     * Enters attributes into a row and strikes others out, beside what others enter at once.
     *
     * @return the row as it is then, without its key
     */
    Map<String, AttributeValue> enter(String key, Map<String, AttributeValue> entered, Collection<String> struck) {
        Map<String, String> names = new HashMap<>();
        Map<String, AttributeValue> values = new HashMap<>();
        StringJoiner set = new StringJoiner(", ", "SET ", "");
        entered.forEach((name, value) -> {
            String at = "s" + values.size();
            set.add("#" + at + " = :" + at);
            names.put("#" + at, name);
            values.put(":" + at, value);
        });
        StringJoiner remove = new StringJoiner(", ", " REMOVE ", "").setEmptyValue("");
        for (String name : struck) {
            String at = "#r" + names.size();
            remove.add(at);
            names.put(at, name);
        }
        return withoutKey(answer(client.updateItem(update -> update.tableName(table)
                .key(key(key)).updateExpression(set.toString() + remove).expressionAttributeNames(names)
                .expressionAttributeValues(values).returnValues(ReturnValue.ALL_NEW))).attributes());
    }

    private static final class Unchanged {
        final StringJoiner condition = new StringJoiner(" AND ");
        final Map<String, String> names = new HashMap<>();
        final Map<String, AttributeValue> values = new HashMap<>();

        Unchanged(Map<String, AttributeValue> row) {
            row.forEach((name, value) -> {
                int at = names.size();
                condition.add("#a" + at + " = :a" + at);
                names.put("#a" + at, name);
                values.put(":a" + at, value);
            });
        }
    }

    private static Map<String, AttributeValue> key(String key) {
        return Map.of(KEY, AttributeValue.fromS(key));
    }

    private static Map<String, AttributeValue> withoutKey(Map<String, AttributeValue> item) {
        Map<String, AttributeValue> row = new HashMap<>(item);
        row.remove(KEY);
        return row;
    }

    private static Map<String, AttributeValue> item(String key, Map<String, AttributeValue> row) {
        Map<String, AttributeValue> item = new HashMap<>(row);
        item.putAll(key(key));
        return item;
    }

    private boolean holds(CompletableFuture<?> asked) {
        try {
            answer(asked);
            return true;
        } catch (ConditionalCheckFailedException e) {
            return false;
        }
    }

    /** Waits for the table; what the service says is thrown as it is. */
    private <T> T answer(CompletableFuture<T> asked) {
        try {
            return asked.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException) {
                throw (RuntimeException) e.getCause();
            }
            throw new IllegalStateException("No answer from table " + table, e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("No answer from table " + table, e);
        }
    }
}

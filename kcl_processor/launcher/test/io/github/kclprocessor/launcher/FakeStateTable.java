package io.github.kclprocessor.launcher;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemRequest;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemResponse;
import software.amazon.awssdk.services.dynamodb.model.GetItemRequest;
import software.amazon.awssdk.services.dynamodb.model.GetItemResponse;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.PutItemResponse;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemResponse;

/** The coordinator state table: rows by key, written on the conditions that {@link OwnRows} sets. */
final class FakeStateTable implements DynamoDbAsyncClient {
    final Map<String, Map<String, AttributeValue>> rows = new HashMap<>();
    /** What the next write runs into after it was applied, if anything. */
    RuntimeException lostAnswer;
    /** What each read runs into, if anything. */
    RuntimeException unread;
    /** What comes between a read and the next write, if anything. */
    Runnable between;

    /** A row as another process wrote it. */
    void has(String key, Map<String, AttributeValue> row) {
        Map<String, AttributeValue> item = new HashMap<>(row);
        item.put("key", AttributeValue.fromS(key));
        rows.put(key, item);
    }

    OwnRows own() {
        return new OwnRows(this, "task-CoordinatorState");
    }

    @Override
    public CompletableFuture<GetItemResponse> getItem(GetItemRequest request) {
        if (unread != null) {
            return CompletableFuture.failedFuture(unread);
        }
        return CompletableFuture.completedFuture(
                GetItemResponse.builder().item(rows.get(request.key().get("key").s())).build());
    }

    @Override
    public CompletableFuture<PutItemResponse> putItem(PutItemRequest request) {
        Runnable first = between;
        between = null;
        if (first != null) {
            first.run();
        }
        String key = request.item().get("key").s();
        if (!holds(key, request.conditionExpression(), request.expressionAttributeNames(),
                request.expressionAttributeValues())) {
            return refused();
        }
        rows.put(key, request.item());
        return answered(PutItemResponse.builder().build());
    }

    @Override
    public CompletableFuture<DeleteItemResponse> deleteItem(DeleteItemRequest request) {
        String key = request.key().get("key").s();
        if (!holds(key, request.conditionExpression(), request.expressionAttributeNames(),
                request.expressionAttributeValues())) {
            return refused();
        }
        rows.remove(key);
        return answered(DeleteItemResponse.builder().build());
    }

    /** Attributes that come and go by themselves. */
    @Override
    public CompletableFuture<UpdateItemResponse> updateItem(UpdateItemRequest request) {
        Map<String, AttributeValue> row =
                rows.computeIfAbsent(request.key().get("key").s(), key -> new HashMap<>(request.key()));
        request.expressionAttributeNames().forEach((at, name) -> {
            if (at.startsWith("#s")) {
                row.put(name, request.expressionAttributeValues().get(at.replace('#', ':')));
            } else {
                row.remove(name);
            }
        });
        return answered(UpdateItemResponse.builder().attributes(row).build());
    }

    private <T> CompletableFuture<T> answered(T answer) {
        RuntimeException lost = lostAnswer;
        lostAnswer = null;
        return lost == null ? CompletableFuture.completedFuture(answer) : CompletableFuture.failedFuture(lost);
    }

    private static <T> CompletableFuture<T> refused() {
        return CompletableFuture.failedFuture(ConditionalCheckFailedException.builder().message("no").build());
    }

    private boolean holds(String key, String condition, Map<String, String> names,
            Map<String, AttributeValue> values) {
        Map<String, AttributeValue> row = rows.getOrDefault(key, Map.of());
        if (condition.startsWith("attribute_not_exists")) {
            return row.isEmpty();
        }
        for (String term : condition.split(" AND ")) {
            String[] sides = term.split(" = ");
            if (!Objects.equals(row.get(names.get(sides[0])), values.get(sides[1]))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String serviceName() {
        return "fake";
    }

    @Override
    public void close() {}
}

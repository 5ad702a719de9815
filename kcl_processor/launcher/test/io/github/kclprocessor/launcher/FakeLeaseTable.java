package io.github.kclprocessor.launcher;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
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

/** A lease table's rows by lease key; an update is that of a begin, on its condition. */
final class FakeLeaseTable implements DynamoDbAsyncClient {
    final Map<String, Map<String, AttributeValue>> rows = new TreeMap<>();
    /** What every call fails with, if anything. */
    RuntimeException failure;
    /** How often a row was read. */
    int reads;

    void lease(String shard) {
        rows.put(shard, new HashMap<>(Map.of("leaseKey", AttributeValue.fromS(shard))));
    }

    String begin(String shard) {
        AttributeValue begin = rows.get(shard).get(Begins.ATTRIBUTE);
        return begin == null ? null : begin.s();
    }

    private <T> CompletableFuture<T> answer(T answer) {
        return failure == null ? CompletableFuture.completedFuture(answer) : CompletableFuture.failedFuture(failure);
    }

    @Override
    public CompletableFuture<GetItemResponse> getItem(GetItemRequest request) {
        reads++;
        return answer(GetItemResponse.builder().item(rows.get(request.key().get("leaseKey").s())).build());
    }

    @Override
    public CompletableFuture<PutItemResponse> putItem(PutItemRequest request) {
        rows.put(request.item().get("leaseKey").s(), request.item());
        return answer(PutItemResponse.builder().build());
    }

    @Override
    public CompletableFuture<DeleteItemResponse> deleteItem(DeleteItemRequest request) {
        rows.remove(request.key().get("leaseKey").s());
        return answer(DeleteItemResponse.builder().build());
    }

    @Override
    public CompletableFuture<UpdateItemResponse> updateItem(UpdateItemRequest request) {
        if (failure != null) {
            return CompletableFuture.failedFuture(failure);
        }
        Map<String, AttributeValue> row = rows.get(request.key().get("leaseKey").s());
        if (row == null || row.containsKey(Begins.ATTRIBUTE)) {
            return CompletableFuture.failedFuture(ConditionalCheckFailedException.builder().message("no").build());
        }
        AttributeValue begin = request.expressionAttributeValues().get(":begin");
        if (begin != null) {
            row.put(Begins.ATTRIBUTE, begin);
        }
        return answer(UpdateItemResponse.builder().attributes(row).build());
    }

    @Override
    public String serviceName() {
        return "fake";
    }

    @Override
    public void close() {}
}

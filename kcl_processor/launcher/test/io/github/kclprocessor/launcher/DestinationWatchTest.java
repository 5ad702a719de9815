package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.DescribeTableRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeTableResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

class DestinationWatchTest {
    private static final Instant CREATED = Instant.parse("2026-01-02T03:04:05.678Z");

    private final List<Integer> exits = new ArrayList<>();
    private Supplier<TableDescription> found;
    private Optional<Map<String, AttributeValue>> claimed = Optional.empty();

    private static TableDescription.Builder table(String id) {
        return TableDescription.builder().tableArn("arn:aws:dynamodb:us-west-2:1:table/replica")
                .creationDateTime(CREATED).tableId(id);
    }

    private static Map<String, AttributeValue> row(String stream, String destination, String rules) {
        Map<String, AttributeValue> row = new HashMap<>(Map.of(
                "stream", AttributeValue.fromS("arn:aws:dynamodb:us-east-1:1:table/" + stream),
                "destination", AttributeValue.fromS("arn:aws:dynamodb:us-west-2:1:table/" + destination)));
        if (!rules.isEmpty()) {
            row.put("rules", AttributeValue.fromS(rules));
        }
        return row;
    }

    private Claim look() {
        DynamoDbClient client = new DynamoDbClient() {
            @Override
            public DescribeTableResponse describeTable(DescribeTableRequest request) {
                return DescribeTableResponse.builder().table(found.get()).build();
            }

            @Override
            public String serviceName() {
                return "dynamodb";
            }

            @Override
            public void close() {}
        };
        return new Claim("orders", "arn:aws:dynamodb:us-east-1:1:table/orders/stream/2026",
                new Destination(client, Region.US_WEST_2, "replica").describe(), "");
    }

    private List<Integer> watched(Supplier<TableDescription> later) {
        return watched(later, claimed);
    }

    private List<Integer> watched(Supplier<TableDescription> later, Optional<Map<String, AttributeValue>> first) {
        found = () -> table("id-1").build();
        AtomicReference<Optional<Map<String, AttributeValue>>> claims = new AtomicReference<>(first);
        DestinationWatch watch = new DestinationWatch(
                look(), this::look, claims::get, reason -> exits.add(reason.exitCode));
        watch.run();
        found = later;
        claims.set(claimed);
        watch.run();
        watch.run();
        return exits;
    }

    /** Whatever else changes of it, it is the same table. */
    @Test
    void sameTable() {
        assertEquals(List.of(), watched(() -> table("id-1").itemCount(7L).build()));
    }

    /** What was written before is not in one of its name, and it would take the next change. */
    @Test
    void madeAnew() {
        assertEquals(ExitStatus.CONFIG, watched(() -> table("id-2").build()).get(0));
    }

    /** Nothing can be written, and there may be nothing to write that says so. */
    @Test
    void deleted() {
        assertEquals(ExitStatus.DESTINATION, watched(() -> {
            throw ResourceNotFoundException.builder().build();
        }).get(0));
    }

    /** Whoever took the checkpoints over has other tables or rules, and would be one fleet with this daemon. */
    @Test
    void takenOver() {
        for (Map<String, AttributeValue> other : List.of(
                row("orders/stream/2026", "elsewhere", ""),
                row("others/stream/2026", "replica", ""),
                row("orders/stream/2026", "replica", "digest"))) {
            exits.clear();
            claimed = Optional.of(other);
            assertEquals(ExitStatus.CONFIG, watched(() -> table("id-1").build()).get(0));
        }
    }

    /** Also while nobody tells what the destination is, as one that was given up and denies that by now. */
    @Test
    void takenOverUnseen() {
        claimed = Optional.of(row("orders/stream/2026", "elsewhere", ""));
        assertEquals(ExitStatus.CONFIG, watched(() -> {
            throw new IllegalStateException("no answer");
        }, Optional.empty()).get(0));
    }

    /** That it is made anew is seen also while the checkpoint tables tell nothing. */
    @Test
    void madeAnewWithoutClaim() {
        claimed = null;
        assertEquals(List.of(ExitStatus.CONFIG, ExitStatus.CONFIG),
                watched(() -> table("id-2").build(), Optional.empty()));
    }

    /** A worker that slept takes no shard up by what it was started with, and ends; where it cannot tell, it does. */
    @Test
    void takesNoShardUp() throws Exception {
        found = () -> table("id-1").build();
        BlockingQueue<Integer> ends = new LinkedBlockingQueue<>();
        DestinationWatch watch = new DestinationWatch(
                look(), this::look, () -> claimed, reason -> ends.add(reason.exitCode));
        assertFalse(watch.isTakenOver());
        claimed = null;
        assertFalse(watch.isTakenOver());
        claimed = Optional.of(row("orders/stream/2026", "replica", "digest"));
        assertTrue(watch.isTakenOver());
        assertEquals(ExitStatus.CONFIG, ends.poll(20, TimeUnit.SECONDS));
    }

    /** The fleet follows the source to its next stream, and each worker ends when it has read the older one. */
    @Test
    void stillItsOwn() {
        for (String label : List.of("2026", "2027")) {
            claimed = Optional.of(row("orders/stream/" + label, "replica", ""));
            assertEquals(List.of(), watched(() -> table("id-1").build()));
        }
    }

    /** A look that fails, or whose answer is none, ends nothing. */
    @Test
    void failedLook() {
        assertEquals(List.of(), watched(() -> null));
        assertEquals(List.of(), watched(() -> {
            throw new IllegalStateException("no answer");
        }));
        assertEquals(List.of(), watched(() -> TableDescription.builder().build()));
    }
}

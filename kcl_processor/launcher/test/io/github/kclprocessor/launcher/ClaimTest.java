package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

class ClaimTest {
    private static final String SOURCE = "arn:aws:dynamodb:us-east-1:1:table/orders";
    private static final String STREAM = SOURCE + "/stream/2026-01-01T00:00:00.000";
    private static final String REPLICA = "arn:aws:dynamodb:us-west-2:1:table/replica";
    private static final Instant CREATED = Instant.parse("2026-01-02T03:04:05.678Z");
    private static final Set<String> SHARDS = Set.of("shardId-1", "shardId-2");

    private final FakeStateTable table = new FakeStateTable();

    private static Claim claim(String stream, String destination, Instant created, String id) {
        return new Claim("orders", stream, table(destination, created, id), "");
    }

    private static TableDescription table(String arn, Instant created, String id) {
        return TableDescription.builder().tableArn(arn).creationDateTime(created).tableId(id).build();
    }

    private void make(Claim claim, String... leases) {
        claim.make(table.own(), List.of(leases), () -> SHARDS);
    }

    private int refused(Claim claim, String... leases) {
        return assertThrows(Refused.class, () -> make(claim, leases)).exitCode;
    }

    /** What is nobody's is claimed, in the words of kcl-processor run; a later start goes on with it. */
    @Test
    void unclaimed() {
        make(claim(STREAM, REPLICA, CREATED, "id-1"), "shardId-2", "shardId-0");
        Map<String, AttributeValue> row = table.own().read(Claim.KEY).get();
        assertEquals(SOURCE, row.get("sourceTable").s());
        assertEquals(REPLICA + " 2026-01-02T03:04:05.678+00:00 id-1", row.get("destinationIncarnation").s());
        make(claim(STREAM, REPLICA, CREATED, "id-1"), "shardId-0");
    }

    /** Leases of another stream, without a claim, are not this task's. */
    @Test
    void strangers() {
        assertEquals(ExitStatus.CONFIG, refused(claim(STREAM, REPLICA, CREATED, null), "shardId-7"));
        assertTrue(table.rows.isEmpty());
    }

    /** Another source, or another destination, is another replica. */
    @Test
    void foreign() {
        make(claim(STREAM, REPLICA, CREATED, null));
        assertEquals(ExitStatus.CONFIG, refused(claim(STREAM.replace("orders", "o2"), REPLICA, CREATED, null)));
        assertEquals(ExitStatus.CONFIG, refused(claim(STREAM, REPLICA + "2", CREATED, null)));
    }

    /** Another stream of the source leaves a gap behind the older one's checkpoints. */
    @Test
    void anotherStream() {
        make(claim(STREAM, REPLICA, CREATED, null));
        assertEquals(ExitStatus.GAP, refused(claim(STREAM.replace("01-01", "01-02"), REPLICA, CREATED, null)));
    }

    /** A destination that was made anew has nothing of what is checkpointed; its id tells, or its creation. */
    @Test
    void madeAnew() {
        make(claim(STREAM, REPLICA, CREATED, "id-1"));
        assertEquals(ExitStatus.CONFIG, refused(claim(STREAM, REPLICA, CREATED, "id-2")));
        make(claim(STREAM, REPLICA, CREATED.plusMillis(1), null));
        assertEquals(ExitStatus.CONFIG, refused(claim(STREAM, REPLICA, CREATED.plusMillis(2), null)));
    }

    /** A destination of which the stream is, is the source, whatever the way to it; nothing is claimed. */
    @Test
    void itsOwnSource() {
        TableDescription.Builder table = TableDescription.builder().tableArn(SOURCE).creationDateTime(CREATED);
        Claim itself = new Claim("orders", STREAM, table.latestStreamArn(STREAM).build(), "");
        assertEquals(ExitStatus.CONFIG, refused(itself, "shardId-1"));
        assertTrue(this.table.rows.isEmpty());
        // Of DynamoDB Local every table of one name has one ARN.
        make(new Claim("orders", STREAM, table.latestStreamArn(STREAM.replace("01-01", "01-02")).build(), ""));
        make(claim(STREAM, SOURCE, CREATED, null));
    }

    /** Items that were laid by other rules, or by none, are another replica's; they are there until repaired. */
    @Test
    void otherRules() {
        make(new Claim("orders", STREAM, table(REPLICA, CREATED, "id-1"), "digest-1"));
        make(new Claim("orders", STREAM, table(REPLICA, CREATED, "id-1"), "digest-1"));
        for (String rules : List.of("", "digest-2")) {
            assertEquals(ExitStatus.CONFIG,
                    refused(new Claim("orders", STREAM, table(REPLICA, CREATED, "id-1"), rules)));
        }
    }

    /** A claim of an earlier version holds the destination's ARN alone. */
    @Test
    void earlierVersion() {
        make(claim(STREAM, REPLICA, CREATED, "id-1"));
        Map<String, AttributeValue> row = new HashMap<>(table.own().read(Claim.KEY).get());
        row.remove("destinationIncarnation");
        table.has(Claim.KEY, row);
        make(claim(STREAM, REPLICA, CREATED, "id-2"));
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.SequenceNumberRange;

class BeginsTest {
    private static final String YOUNG = shardOf(Duration.ofHours(5));
    private static final String OLD = shardOf(Duration.ofHours(26));

    private final FakeStream stream = new FakeStream();
    private final FakeLeaseTable table = new FakeLeaseTable();
    private final Begins begins = new Begins(new SourceStream(stream, "arn"), table, "leases");

    private static String shardOf(Duration age) {
        return String.format("shardId-%020d-0a1b2c3d", Instant.now().minus(age).toEpochMilli());
    }

    private void list(String shard, String start) {
        begins.listed(List.of(Shard.builder().shardId(shard)
                .sequenceNumberRange(SequenceNumberRange.builder().startingSequenceNumber(start).build()).build()));
    }

    /** A shard that is too young to have lost anything begins at its start, and nobody is asked. */
    @Test
    void youngShardBeginsAtItsStart() {
        list(YOUNG, "100");
        assertEquals(at("100"), begins.ofNew(YOUNG, List.of()));
        assertEquals(List.of(), stream.asked);
    }

    /** An old shard begins at its start if that is left, else at the oldest change that is. */
    @Test
    void oldShardBeginsAtWhatIsLeft() {
        list(OLD, "100");
        assertEquals(at("100"), begins.ofNew(OLD, List.of()));
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.TRIMMED);
        assertEquals(Set.of(Begins.FOUND), begins.ofNew(OLD, List.of()).keySet());
        stream.oldestLeft = GetRecordsResponse.builder()
                .records(record -> record.dynamodb(change -> change.sequenceNumber("117"))).build();
        Map<String, AttributeValue> found = begins.ofNew(OLD, List.of());
        assertEquals("117", found.get(Begins.ATTRIBUTE).s());
        assertTrue(found.containsKey(Begins.FOUND));
    }

    /** Below a shard that was there before, or where its line demands it, an old shard was to be read whole. */
    @Test
    void oldShardThatWasToBeRead() {
        list(OLD, "100");
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.TRIMMED);
        table.lease("parent");
        assertEquals(at("100"), begins.ofNew(OLD, List.of("parent")));
        table.rows.get("parent").putAll(found("7", Duration.ofMinutes(59)));
        assertEquals(Set.of(Begins.FOUND), begins.ofNew(OLD, List.of("parent")).keySet());
        table.rows.get("parent").putAll(found("7", Duration.ofMinutes(61)));
        assertEquals(at("100"), begins.ofNew(OLD, List.of("parent")));
        assertEquals(Set.of(Begins.FOUND), begins.ofNew(OLD, List.of("unknown")).keySet());
        begins.toBeWhole(OLD);
        assertEquals(at("100"), begins.ofNew(OLD, List.of("unknown")));
    }

    /** The oldest change left is the next to leave: at a first start that is no loss, later on it is. */
    @Test
    void oldestLeftLeaves() {
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/117", FakeStream.TRIMMED);
        table.lease("shardId-1");
        table.rows.get("shardId-1").putAll(found("117", Duration.ofMinutes(59)));
        demand("shardId-1");
        table.rows.get("shardId-1").putAll(found("117", Duration.ofMinutes(61)));
        assertThrows(TrimmedDataAccessException.class, () -> demand("shardId-1"));
        table.rows.get("shardId-1").remove(Begins.FOUND);
        assertThrows(TrimmedDataAccessException.class, () -> demand("shardId-1"));
    }

    private void demand(String shard) {
        begins.demand(shard, begins.of(shard).get());
    }

    private static Map<String, AttributeValue> found(String begin, Duration ago) {
        String time = Long.toString(Instant.now().minus(ago).toEpochMilli());
        return Map.of(Begins.ATTRIBUTE, AttributeValue.fromS(begin), Begins.FOUND, AttributeValue.fromN(time));
    }

    private static Map<String, AttributeValue> at(String start) {
        return Map.of(Begins.ATTRIBUTE, AttributeValue.fromS(start));
    }

    /** A shard that has left the stream, or whose start is not told, has no begin. */
    @Test
    void noBegin() {
        list(OLD, "100");
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.GONE);
        stream.failuresAt.put("TRIM_HORIZON/null", FakeStream.GONE);
        assertEquals(Set.of(Begins.FOUND), begins.ofNew(OLD, List.of()).keySet());
        list(YOUNG, null);
        assertEquals(Map.of(), begins.ofNew(YOUNG, List.of()));
    }

    /** A start that an iterator is refused at is as good as any other: it cannot be told to be gone. */
    @Test
    void refusedStartIsNoLoss() {
        list(OLD, "100");
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.refusal("ValidationException"));
        assertEquals(at("100"), begins.ofNew(OLD, List.of()));
    }

    /** A list that is on its way has forgotten no shard that may get its lease meanwhile, but what left the stream. */
    @Test
    void listsAreForgotten() {
        String gone = shardOf(Duration.ofHours(73));
        list(YOUNG, "100");
        list(OLD, "200");
        list(gone, "300");
        begins.listing();
        assertEquals(at("100"), begins.ofNew(YOUNG, List.of()));
        assertEquals(at("200"), begins.ofNew(OLD, List.of()));
        assertEquals(Map.of(), begins.ofNew(gone, List.of()));
    }

    /** A begin is written once, and only beside a lease. */
    @Test
    void begin() {
        table.lease("shardId-1");
        assertEquals(Optional.empty(), begins.of("shardId-1"));
        begins.note("shardId-1", "7");
        begins.note("shardId-1", "8");
        begins.note("shardId-2", "9");
        assertEquals("7", begins.of("shardId-1").get().sequenceNumber);
        assertEquals(List.of("shardId-1"), List.copyOf(table.rows.keySet()));
    }

    /** A lease table in trouble is named; it must not pass for a stream in trouble. */
    @Test
    void leaseTableInTrouble() {
        table.failure = FakeStream.refusal("AccessDeniedException");
        String said = assertThrows(IllegalStateException.class, () -> begins.of("shardId-1")).getMessage();
        assertTrue(said.contains("shardId-1 in leases"), said);
    }
}

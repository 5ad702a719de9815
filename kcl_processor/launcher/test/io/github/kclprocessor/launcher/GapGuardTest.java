package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsGetRecordsResponseAdapter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ShardFilter;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class GapGuardTest {
    private static final RuntimeException TRIMMED = FakeStream.TRIMMED;
    private static final RuntimeException GONE = FakeStream.GONE;
    private static final String SHARD = "shardId-1";
    private static final Instant DAY = Instant.parse("2026-01-02T00:00:00Z");

    @TempDir
    Path folder;

    private final List<Integer> exits = new ArrayList<>();
    private final FakeStream stream = new FakeStream();
    private final FakeLeaseTable table = new FakeLeaseTable();
    private final SignsOfLife signs = new SignsOfLife();
    private long nanos;
    private final List<String> childless = new ArrayList<>();
    private final UntoldGaps untold = new UntoldGaps();

    private GapGuard guard(boolean goOn) {
        Gaps gaps = new Gaps(goOn, Optional.of(gapFile()), "orders", exits::add);
        SourceStream source = new SourceStream(stream, "arn");
        return new GapGuard(stream, Region.US_EAST_1, source, gaps, untold, new Denials(exits::add, () -> nanos),
                new Begins(source, table, "leases"), signs, childless::add);
    }

    private Path gapFile() {
        return folder.resolve("gaps.jsonl");
    }

    private static GetShardIteratorRequest after(String sequenceNumber) {
        return GetShardIteratorRequest.builder().streamName("arn").shardId(SHARD)
                .shardIteratorType(ShardIteratorType.AFTER_SEQUENCE_NUMBER)
                .startingSequenceNumber(sequenceNumber).build();
    }

    private static GetShardIteratorRequest from(String place) {
        return after(null).toBuilder().shardIteratorType(place).build();
    }

    private static GetRecordsResponse page(String next, String... sequenceNumbers) {
        List<Record> records = new ArrayList<>();
        for (String sequenceNumber : sequenceNumbers) {
            Consumer<software.amazon.awssdk.services.dynamodb.model.StreamRecord.Builder> change =
                    made -> made.sequenceNumber(sequenceNumber)
                            .approximateCreationDateTime(DAY.plusSeconds(Long.parseLong(sequenceNumber)));
            records.add(Record.builder().dynamodb(change).build());
        }
        return GetRecordsResponse.builder().records(records).nextShardIterator(next).build();
    }

    private static DynamoDBStreamsGetRecordsResponseAdapter read(GapGuard guard, String iterator) throws Exception {
        return guard.getDynamoDBStreamsRecords(GetRecordsRequest.builder().shardIterator(iterator).build()).get();
    }

    /** A read that fails is a sign of life, for an outage is no silence; an answer is heard of when it is delivered. */
    @Test
    void failedReadIsHeard() throws Exception {
        GapGuard guard = guard(false);
        stream.iteratorFailures.add(SdkClientException.create("connection refused"));
        assertThrows(ExecutionException.class, () -> guard.getShardIterator(after("7")).get());
        assertEquals(Set.of(SHARD), signs.takeAlive());
        stream.reads.addAll(List.of(page("second"), SdkClientException.create("timeout")));
        guard.getShardIterator(after("7")).get();
        read(guard, "AFTER_SEQUENCE_NUMBER/7");
        assertEquals(Set.of(), signs.takeAlive());
        assertThrows(ExecutionException.class, () -> read(guard, "second"));
        assertEquals(Set.of(SHARD), signs.takeAlive());
    }

    /** A checkpoint that was trimmed ends the daemon with the code for a gap. */
    @Test
    void trimmedCheckpointEndsTheDaemon() {
        stream.iteratorFailures.add(TRIMMED);
        assertThrows(ExecutionException.class, () -> guard(false).getShardIterator(after("7")).get());
        assertEquals(List.of(9), exits);
        assertTrue(Files.notExists(gapFile()));
    }

    /** A shard that is gone before it was read to its end is a gap too, at any position. */
    @Test
    void goneShardEndsTheDaemon() {
        stream.iteratorFailures.add(GONE);
        assertThrows(ExecutionException.class, () -> guard(false).getShardIterator(from("TRIM_HORIZON")).get());
        assertEquals(List.of(9), exits);
    }

    /** Told to go on, it notes the gap and reads from the oldest change that is left. */
    @Test
    void goesOnAtTheOldestChange() throws Exception {
        stream.iteratorFailures.add(TRIMMED);
        stream.oldestLeft = page("next", "8");
        assertEquals("TRIM_HORIZON/null", guard(true).getShardIterator(after("7")).get().shardIterator());
        String noted = Files.readString(gapFile());
        assertTrue(noted.contains("\"shard\":\"shardId-1\",\"checkpoint\":\"7\""), noted);
        assertTrue(noted.contains("\"from\":null,\"to\":\"2026-01-02T00:00:08Z\""), noted);
        assertTrue(noted.contains("beyond the \\\"trim\\\" horizon"), noted);
        assertEquals(List.of(), exits);
    }

    /**
     * How far a gap reaches is looked for behind the place from where reading goes on: what leaves the stream
     * between the two is told, or missed by the first read. The other way round it would be passed in silence.
     */
    @Test
    void gapIsToldAsFarAsReadingPassesIt() throws Exception {
        List<String> behind = List.of("TRIM_HORIZON/null", "TRIM_HORIZON/null", FakeStream.LOOK);
        GapGuard guard = guard(true);
        stream.iteratorFailures.add(TRIMMED);
        guard.getShardIterator(after("7")).get();
        assertEquals(behind, stream.asked.subList(1, stream.asked.size()));
        stream.asked.clear();
        stream.reads.addAll(List.of(TRIMMED, page("next", "20")));
        read(guard, "TRIM_HORIZON/null");
        assertEquals(behind, stream.asked);
    }

    /** Where a gap is not passed, for the stream is off, the shard is read again from where it was. */
    @Test
    void gapThatIsLeftToTheNextStartKeepsItsPlace() throws Exception {
        GapGuard guard = guard(true);
        guard.getShardIterator(after("7")).get();
        stream.status = StreamStatus.DISABLED;
        stream.reads.addAll(List.of(GONE, TRIMMED, page("next", "20")));
        assertThrows(ExecutionException.class, () -> read(guard, "AFTER_SEQUENCE_NUMBER/7"));
        read(guard, "AFTER_SEQUENCE_NUMBER/7");
        assertTrue(Files.readString(gapFile()).contains("\"checkpoint\":\"7\""));
    }

    /** What leaves the stream between the iterator behind a gap and its read is one more gap, not the end of the shard. */
    @Test
    void gapBehindAGap() throws Exception {
        GapGuard guard = guard(true);
        guard.getShardIterator(after("7")).get();
        stream.reads.addAll(List.of(TRIMMED, TRIMMED, page("next", "20")));
        stream.oldestLeft = page("next", "20");
        assertEquals("20", read(guard, "AFTER_SEQUENCE_NUMBER/7").records().get(0).sequenceNumber());
        assertEquals(2, Files.readAllLines(gapFile()).size());
        assertEquals(List.of(), childless);
    }

    /** Where the first read behind a gap fails, the fetcher asks with the iterator before it, whose shard is known. */
    @Test
    void readBehindAGapFails() throws Exception {
        GapGuard guard = guard(true);
        guard.getShardIterator(after("7")).get();
        stream.reads.addAll(List.of(page("second", "8"), TRIMMED, SdkClientException.create("timeout"),
                TRIMMED, page("third", "20")));
        read(guard, "AFTER_SEQUENCE_NUMBER/7");
        assertThrows(ExecutionException.class, () -> read(guard, "second"));
        assertEquals("20", read(guard, "second").records().get(0).sequenceNumber());
        for (String noted : Files.readAllLines(gapFile())) {
            assertTrue(noted.contains(
                    "\"shard\":\"shardId-1\",\"checkpoint\":\"8\",\"from\":\"2026-01-02T00:00:08Z\""), noted);
        }
    }

    /** A service that finds everything trimmed is asked anew from where the shard was read to, in the KCL's time. */
    @Test
    void gapsWithoutEnd() throws Exception {
        GapGuard guard = guard(true);
        guard.getShardIterator(after("7")).get();
        stream.reads.addAll(Collections.nCopies(10, TRIMMED));
        ExecutionException thrown =
                assertThrows(ExecutionException.class, () -> read(guard, "AFTER_SEQUENCE_NUMBER/7"));
        assertEquals(software.amazon.awssdk.services.kinesis.model.ExpiredIteratorException.class,
                thrown.getCause().getClass());
        assertEquals(List.of(), childless);
    }

    /** A shard that is gone whole before what a gap left of it was read is gone, and so told. */
    @Test
    void shardGoneBehindAGap() throws Exception {
        GapGuard guard = guard(true);
        guard.getShardIterator(after("7")).get();
        stream.oldestLeft = page("next", "20");
        stream.reads.addAll(List.of(TRIMMED, GONE));
        stream.goneAfterReads = true;
        assertThrows(ExecutionException.class, () -> read(guard, "AFTER_SEQUENCE_NUMBER/7"));
        assertEquals(2, Files.readAllLines(gapFile()).size());
    }

    /** Read ahead of what is written, a gap is told when that is; a daemon that ends with it tells it at once. */
    @Test
    void gapAheadOfWhatIsWritten() throws Exception {
        for (boolean goOn : List.of(true, false)) {
            GapGuard guard = guard(goOn);
            UntoldGaps.Hold hold = untold.take(SHARD, new ExtendedSequenceNumber("7"));
            guard.getShardIterator(after("7")).get();
            stream.reads.addAll(List.of(page("second", "8", "9"), TRIMMED));
            read(guard, "AFTER_SEQUENCE_NUMBER/7");
            if (goOn) {
                stream.reads.add(page("third", "20"));
                assertEquals("20", read(guard, "second").records().get(0).sequenceNumber());
                hold.written(new ExtendedSequenceNumber("8"));
                assertTrue(Files.notExists(gapFile()));
                hold.written(new ExtendedSequenceNumber("9"));
                assertTrue(Files.readString(gapFile()).contains("\"checkpoint\":\"9\""));
            } else {
                assertThrows(ExecutionException.class, () -> read(guard, "second"));
                assertEquals(List.of(9), exits);
            }
        }
    }

    /** An iterator that the KCL takes up again, for nobody took the page behind it, still knows its shard. */
    @Test
    void iteratorIsTakenUpAgain() throws Exception {
        GapGuard guard = guard(true);
        guard.getShardIterator(after("7")).get();
        stream.reads.addAll(List.of(page("second", "8"), page("third", "9"), TRIMMED, page("fourth", "20")));
        read(guard, "AFTER_SEQUENCE_NUMBER/7");
        read(guard, "second");
        guard.resumed(SHARD, "second", "8");
        read(guard, "second");
        String noted = Files.readString(gapFile());
        assertTrue(noted.contains("\"shard\":\"shardId-1\",\"checkpoint\":\"8\""), noted);
    }

    /** When nothing of the shard is left, the fetcher hears the word that ends a shard. */
    @Test
    void wholeShardGoneEndsTheShard() {
        stream.iteratorFailures.addAll(List.of(GONE, GONE, GONE));
        ExecutionException thrown =
                assertThrows(ExecutionException.class, () -> guard(true).getShardIterator(after("7")).get());
        assertEquals(software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException.class,
                thrown.getCause().getClass());
        assertEquals(List.of(SHARD), childless);
    }

    /** Nor is one that is trimmed, and then not found although the stream lists it: one call may be wrong. */
    @Test
    void trimmedShardThatIsListedIsNotGone() {
        stream.shards = List.of(FakeStream.shard(SHARD, null));
        stream.iteratorFailures.addAll(List.of(TRIMMED, GONE));
        ExecutionException thrown =
                assertThrows(ExecutionException.class, () -> guard(true).getShardIterator(after("7")).get());
        assertEquals(IllegalStateException.class, thrown.getCause().getClass());
        assertEquals(List.of(), childless);
        assertEquals(false, Files.exists(gapFile()));
    }

    /** A reader that is interrupted, for its lease is lost, notes its gap all the same. */
    @Test
    void interruptedReaderNotesItsGap() throws Exception {
        stream.iteratorFailures.add(GONE);
        Thread.currentThread().interrupt();
        guard(true).getShardIterator(after("7"));
        assertTrue(Thread.interrupted());
        assertEquals(1, Files.readAllLines(gapFile()).size());
        assertEquals(List.of(), exits);
    }

    /** Children that are not told, or not there yet, are asked for again; those that are there are not. */
    @Test
    void childrenAreLookedFor() throws Exception {
        GapGuard guard = guard(true);
        ShardFilter filter = ShardFilter.builder().type("CHILD_SHARDS").shardId(SHARD).build();
        guard.describeStreamWithFilter("arn", filter, "orders");
        assertEquals(1, childless.size());
        stream.status = null;
        assertThrows(RuntimeException.class, () -> guard.describeStreamWithFilter("arn", filter, "orders"));
        assertEquals(List.of(SHARD, SHARD), childless);
        stream.status = StreamStatus.ENABLED;
        stream.shards = List.of(FakeStream.shard("shardId-2", SHARD));
        guard.describeStreamWithFilter("arn", filter, "orders");
        assertEquals(2, childless.size());
    }

    /** A gap during reading is reported at the last change that was read. */
    @Test
    void gapWhileReadingNamesTheLastChangeRead() throws Exception {
        GapGuard guard = guard(true);
        stream.reads.addAll(List.of(page("second", "8", "9"), page("third"), GONE, page("fourth", "20")));
        guard.getShardIterator(after("7")).get();
        assertEquals("second", read(guard, "AFTER_SEQUENCE_NUMBER/7").nextShardIterator());
        assertEquals("third", read(guard, "second").nextShardIterator());
        assertEquals("fourth", read(guard, "third").nextShardIterator());
        String noted = Files.readString(gapFile());
        assertTrue(noted.contains("\"checkpoint\":\"9\",\"from\":\"2026-01-02T00:00:09Z\""), noted);
    }

    /** A shard that was never checkpointed is read from its beginning if that is left. */
    @Test
    void unreadShardIsReadFromItsBegin() throws Exception {
        table.lease(SHARD);
        new Begins(null, table, "leases").note(SHARD, "5");
        assertEquals("TRIM_HORIZON/null", guard(false).getShardIterator(from("TRIM_HORIZON")).get().shardIterator());
        // The begin is asked for last: the iterator stands where it was still there.
        assertEquals(List.of("TRIM_HORIZON/null", "AT_SEQUENCE_NUMBER/5"), stream.asked);
        assertEquals(1, table.reads);
        assertEquals(List.of(), exits);
    }

    /** One whose beginning is gone has a gap, whatever the stream calls its start. */
    @Test
    void unreadShardWhoseBeginIsGone() throws Exception {
        table.lease(SHARD);
        new Begins(null, table, "leases").note(SHARD, "5");
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/5", TRIMMED);
        assertThrows(ExecutionException.class, () -> guard(false).getShardIterator(from("TRIM_HORIZON")).get());
        assertEquals(List.of(9), exits);
        assertEquals("TRIM_HORIZON/null", guard(true).getShardIterator(from("TRIM_HORIZON")).get().shardIterator());
        String noted = Files.readString(gapFile());
        assertTrue(noted.contains("\"shard\":\"shardId-1\",\"checkpoint\":\"TRIM_HORIZON\""), noted);
    }

    /** A begin that cannot be asked for is no gap, and no reason to end. */
    @Test
    void unreadShardWhoseBeginIsRefused() throws Exception {
        table.lease(SHARD);
        new Begins(null, table, "leases").note(SHARD, "5");
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/5", FakeStream.refusal("ValidationException"));
        assertEquals("TRIM_HORIZON/null", guard(false).getShardIterator(from("TRIM_HORIZON")).get().shardIterator());
        assertEquals(List.of(), exits);
    }

    /** What a read finds trimmed before the first change is no gap where the shard's begin is still there. */
    @Test
    void falselyTrimmed() throws Exception {
        table.lease(SHARD);
        new Begins(null, table, "leases").note(SHARD, "5");
        GapGuard guard = guard(false);
        guard.getShardIterator(from("TRIM_HORIZON")).get();
        stream.reads.addAll(List.of(page("second"), TRIMMED, page("third", "8")));
        read(guard, "TRIM_HORIZON/null");
        assertEquals("8", read(guard, "second").records().get(0).sequenceNumber());
        assertEquals(List.of(), exits);
        // Behind a change it is one.
        stream.reads.add(TRIMMED);
        assertThrows(ExecutionException.class, () -> read(guard, "third"));
        assertEquals(List.of(9), exits);
    }

    /** Nor is it believed where the begin is gone, or nobody can say. */
    @Test
    void trulyTrimmed() throws Exception {
        for (RuntimeException answer : List.of(TRIMMED, GONE, FakeStream.refusal("ValidationException"))) {
            table.lease(SHARD);
            new Begins(null, table, "leases").note(SHARD, "5");
            exits.clear();
            GapGuard guard = guard(false);
            guard.getShardIterator(from("TRIM_HORIZON")).get();
            stream.failuresAt.put("AT_SEQUENCE_NUMBER/5", answer);
            stream.reads.add(TRIMMED);
            assertThrows(ExecutionException.class, () -> read(guard, "TRIM_HORIZON/null"));
            assertEquals(List.of(9), exits, answer.toString());
            stream.failuresAt.clear();
        }
    }

    /** A shard of which nobody wrote down where it begins begins at the first change that is read. */
    @Test
    void firstReadIsWrittenDown() throws Exception {
        table.lease(SHARD);
        for (String place : List.of("TRIM_HORIZON", "LATEST")) {
            table.lease(SHARD);
            GapGuard guard = guard(false);
            guard.getShardIterator(from(place)).get();
            stream.reads.addAll(List.of(page("second"), page("third", "8"), page("fourth", "9")));
            read(guard, place + "/null");
            assertNull(table.begin(SHARD));
            read(guard, "second");
            read(guard, "third");
            assertEquals("8", table.begin(SHARD));
        }
        // What came after the first change must not be passed by a second start at the newest one.
        assertEquals("AT_SEQUENCE_NUMBER/8", guard(false).getShardIterator(from("LATEST")).get().shardIterator());
    }

    /** Changes whose begin cannot be written down are not handed on; they are read again. */
    @Test
    void unwrittenBegin() throws Exception {
        table.lease(SHARD);
        GapGuard guard = guard(false);
        guard.getShardIterator(from("TRIM_HORIZON")).get();
        stream.reads.addAll(List.of(page("second", "8"), page("second", "8")));
        table.failure = FakeStream.refusal("ThrottlingException");
        assertThrows(ExecutionException.class, () -> read(guard, "TRIM_HORIZON/null"));
        table.failure = null;
        assertEquals(1, read(guard, "TRIM_HORIZON/null").records().size());
        assertEquals("8", table.begin(SHARD));
    }

    /** A checkpoint that the stream refuses for good ends the daemon as a wrong setting does. */
    @Test
    void refusedCheckpointEndsTheDaemon() {
        stream.iteratorFailures.add(FakeStream.refusal("ValidationException"));
        assertThrows(ExecutionException.class, () -> guard(true).getShardIterator(after("7")).get());
        assertEquals(List.of(2), exits);
    }

    /** A shard that is not in a stream that is off is left to whoever reads the next one. */
    @Test
    void shardOfAnotherStream() {
        stream.status = StreamStatus.DISABLED;
        stream.iteratorFailures.add(GONE);
        assertThrows(ExecutionException.class, () -> guard(true).getShardIterator(from("TRIM_HORIZON")).get());
        assertEquals(List.of(), exits);
        assertTrue(Files.notExists(gapFile()));
    }

    /** One that the stream lists has not left it, though a call does not find it: it is neither a gap nor ended. */
    @Test
    void shardThatOneCallDoesNotFind() throws Exception {
        stream.shards = List.of(FakeStream.shard(SHARD, null));
        for (boolean goOn : List.of(false, true)) {
            GapGuard guard = guard(goOn);
            stream.iteratorFailures.addAll(List.of(GONE, GONE));
            assertThrows(ExecutionException.class, () -> guard.getShardIterator(from("TRIM_HORIZON")).get());
            assertEquals("TRIM_HORIZON/null", guard.getShardIterator(from("TRIM_HORIZON")).get().shardIterator());
            stream.reads.addAll(List.of(GONE, page("second", "8")));
            assertThrows(ExecutionException.class, () -> read(guard, "TRIM_HORIZON/null"));
            assertEquals("8", read(guard, "TRIM_HORIZON/null").records().get(0).sequenceNumber());
        }
        assertEquals(4, stream.described, "one look a call that did not find it");
        assertEquals(List.of(), exits);
        assertEquals(List.of(), childless);
        assertTrue(Files.notExists(gapFile()));
    }

    /** What is no gap reaches the fetcher in the form that it retries, and ends nothing. */
    @Test
    void throttlingIsNoGap() throws Exception {
        GapGuard guard = guard(false);
        stream.reads.add(software.amazon.awssdk.services.dynamodb.model.LimitExceededException.builder().message("slow").build());
        guard.getShardIterator(after("7")).get();
        ExecutionException thrown =
                assertThrows(ExecutionException.class, () -> read(guard, "AFTER_SEQUENCE_NUMBER/7"));
        assertEquals(software.amazon.awssdk.services.kinesis.model.ProvisionedThroughputExceededException.class,
                thrown.getCause().getClass());
        assertEquals(List.of(), exits);
    }

    /** A denied action ends the daemon at once. */
    @Test
    void deniedActionEndsTheDaemon() {
        stream.iteratorFailures.add(FakeStream.refusal("AccessDeniedException"));
        assertThrows(ExecutionException.class, () -> guard(false).getShardIterator(after("7")).get());
        assertEquals(List.of(5), exits);
    }

    /** Refused credentials end it when nobody has renewed them for five minutes. */
    @Test
    void refusedCredentialsGetTime() throws Exception {
        GapGuard guard = guard(false);
        for (int minute = 0; minute <= 5; minute++) {
            nanos = TimeUnit.MINUTES.toNanos(minute);
            stream.iteratorFailures.add(FakeStream.refusal("ExpiredTokenException"));
            assertThrows(ExecutionException.class, () -> guard.getShardIterator(after("7")).get());
        }
        assertEquals(List.of(), exits);
        guard.getShardIterator(after("7")).get();
        nanos = TimeUnit.MINUTES.toNanos(7);
        stream.iteratorFailures.add(FakeStream.refusal("ExpiredTokenException"));
        assertThrows(ExecutionException.class, () -> guard.getShardIterator(after("7")).get());
        assertEquals(List.of(), exits);
        nanos = TimeUnit.MINUTES.toNanos(13);
        stream.iteratorFailures.add(FakeStream.refusal("ExpiredTokenException"));
        assertThrows(ExecutionException.class, () -> guard.getShardIterator(after("7")).get());
        assertEquals(List.of(5), exits);
    }

    /** A gap that cannot be noted is not passed. */
    @Test
    void unnotedGapEndsTheDaemon() throws Exception {
        Files.createDirectory(gapFile());
        stream.iteratorFailures.add(TRIMMED);
        assertThrows(ExecutionException.class, () -> guard(true).getShardIterator(after("7")).get());
        assertEquals(List.of(9), exits);
    }

    /** A line that a full disk has torn does not swallow the next gap. */
    @Test
    void noteBehindATornOne() throws Exception {
        Files.writeString(gapFile(), "{\"at\":\"2026-01");
        stream.iteratorFailures.add(TRIMMED);
        guard(true).getShardIterator(after("7")).get();
        List<String> noted = Files.readAllLines(gapFile());
        assertEquals(2, noted.size());
        assertTrue(noted.get(1).startsWith("{\"at\":"), noted.get(1));
    }

    /** The records of a response are turned into JSON once. */
    @Test
    void recordsAreRemembered() throws Exception {
        GapGuard guard = guard(false);
        stream.reads.add(page("second", "8"));
        guard.getShardIterator(after("7")).get();
        DynamoDBStreamsGetRecordsResponseAdapter response = read(guard, "AFTER_SEQUENCE_NUMBER/7");
        assertSame(response.records(), response.records());
        assertEquals("8", response.records().get(0).sequenceNumber());
    }

    /** A gap names the time that is known: a shard's creation, and the end of what the stream keeps, on clocks that
     *  may be an hour behind. */
    @Test
    void timesOfAGap() {
        Gap gap = new Gap("shardId-00000001767312000000-0a1b2c3d", "7", null, null);
        assertEquals(DAY, gap.from.get());
        assertTrue(gap.to.isBefore(Instant.now().minusSeconds(23 * 3600 - 60)), gap.toString());
        assertTrue(gap.to.isAfter(Instant.now().minusSeconds(23 * 3600 + 60)), gap.toString());
        Instant read = Instant.now().minusSeconds(60);
        assertTrue(new Gap("shardId-1", "7", read, null).to.isAfter(read));
        Instant kept = Instant.now().minusSeconds(23 * 3600 + 1800);
        assertTrue(new Gap("shardId-1", "7", kept, null).to.isAfter(read), "it went with its stream, and up to now");
        assertTrue(gap.toString().contains("after 7, made from 2026-01-02T00:00:00Z to "), gap.toString());
    }

    /** The end of a process by a signal is said as such. */
    @Test
    void howAProcessEnded() {
        assertEquals("by signal 9", ChildExitFilter.how(137));
        assertEquals("with exit code 8", ChildExitFilter.how(8));
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.ShardDetector;
import software.amazon.kinesis.metrics.NullMetricsScope;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class LineageGuardTest {
    private static final Instant NOW = Instant.now();
    /** As the adapter gives it to a syncer. */
    private static final String STREAM = "us-east-1$111122223333$orders$2026-01-01T00-00-00.000";

    @TempDir
    Path folder;

    private final List<Integer> exits = new ArrayList<>();
    private final FakeStream stream = new FakeStream();
    private final List<Lease> leases = new ArrayList<>();
    private final List<String> calls = new ArrayList<>();
    private final FakeLeaseTable table = new FakeLeaseTable();
    private final Begins begins = new Begins(new SourceStream(stream, "arn"), table, "leases");
    private int lists;

    private static String shardOf(int hoursAgo) {
        return String.format("shardId-%020d-0a1b2c3d", NOW.minus(Duration.ofHours(hoursAgo)).toEpochMilli());
    }

    private static Shard shard(String id, String parent, String end) {
        return FakeStream.shard(id, parent).toBuilder()
                .sequenceNumberRange(range -> range.startingSequenceNumber("100").endingSequenceNumber(end)).build();
    }

    private void lease(String shard, String parent, ExtendedSequenceNumber checkpoint) {
        Lease lease = new Lease();
        lease.leaseKey(shard);
        lease.parentShardIds(parent == null ? List.of() : List.of(parent));
        lease.checkpoint(checkpoint);
        leases.add(lease);
    }

    private void sync(boolean goOn) throws Exception {
        Gaps gaps = new Gaps(goOn, Optional.of(gapFile()), "orders", exits::add);
        LineageGuard guard = new LineageGuard(STREAM, true, new SourceStream(stream, "arn"), gaps, begins);
        ShardDetector detector = Fake.of(ShardDetector.class, (method, asked) -> {
            if (method.equals("streamIdentifier")) {
                return StreamIdentifier.singleStreamInstance(STREAM);
            }
            lists++;
            return told();
        });
        LeaseRefresher refresher = Fake.of(LeaseRefresher.class, (method, asked) -> {
            calls.add(method);
            if (method.equals("deleteLease")) {
                leases.remove(asked[0]);
            }
            return method.equals("listLeases") ? new ArrayList<>(leases)
                    : method.equals("createLeaseIfNotExists") ? leases.add((Lease) asked[0]) : null;
        });
        guard.checkAndCreateLeaseForNewShards(detector, refresher,
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON),
                new NullMetricsScope(), false, leases.isEmpty());
    }

    /** A list of all shards, of which the begins are told, too. */
    private List<software.amazon.awssdk.services.kinesis.model.Shard> told() {
        List<software.amazon.awssdk.services.kinesis.model.Shard> listed =
                stream.shards.stream().map(LineageGuardTest::ofKinesis).collect(Collectors.toList());
        begins.listed(listed);
        return listed;
    }

    private static software.amazon.awssdk.services.kinesis.model.Shard ofKinesis(Shard shard) {
        return software.amazon.awssdk.services.kinesis.model.Shard.builder()
                .shardId(shard.shardId()).parentShardId(shard.parentShardId())
                .hashKeyRange(range -> range.startingHashKey("0").endingHashKey("1"))
                .sequenceNumberRange(range -> range.startingSequenceNumber("100")
                        .endingSequenceNumber(shard.sequenceNumberRange().endingSequenceNumber())).build();
    }

    private Path gapFile() {
        return folder.resolve("gaps.jsonl");
    }

    /** An ended shard, whose child came and went without a lease, and what is below that. */
    private void unseen() {
        lease(shardOf(30), null, ExtendedSequenceNumber.SHARD_END);
        stream.shards = List.of(shard(shardOf(20), "unseen", "300"), shard(shardOf(10), shardOf(20), null),
                shard(shardOf(9), "unseen", null));
    }

    /** A shard that came and went without a lease is a gap, once for all its children, and then they have leases. */
    @Test
    void unseenShard() throws Exception {
        unseen();
        sync(true);
        List<String> noted = Files.readAllLines(gapFile());
        assertEquals(1, noted.size());
        assertTrue(noted.get(0).contains(String.format(
                "\"shard\":\"unseen\",\"checkpoint\":\"TRIM_HORIZON\",\"from\":\"%s\",\"to\":\"%s\"",
                Gap.created(shardOf(30)).get(), Gap.created(shardOf(20)).get())), noted.get(0));
        assertEquals(3, leases.stream().filter(lease -> !lease.checkpoint().isShardEnd()).count());
        sync(true);
        assertEquals(1, Files.readAllLines(gapFile()).size());
    }

    /** So is one below a shard that left the stream unread, whose own gap its reader states. */
    @Test
    void unseenShardBelowOneThatIsGone() throws Exception {
        unseen();
        leases.get(0).checkpoint(new ExtendedSequenceNumber("7"));
        sync(true);
        assertTrue(Files.readAllLines(gapFile()).get(0).contains("\"shard\":\"unseen\""));
        // What is stated and what gets a lease is of one list: a shard might leave between two.
        assertEquals(1, lists);
    }

    /** A list that lags does not have the youngest shards, which other workers read. */
    @Test
    void listThatLags() throws Exception {
        lease(shardOf(1), shardOf(20), new ExtendedSequenceNumber("7"));
        stream.shards = List.of(shard(shardOf(20), "gone", null), shard(shardOf(19), "gone too", null));
        sync(false);
        assertEquals(List.of(), exits);
    }

    /** Where a gap is to end the daemon, nothing gets a lease past it. */
    @Test
    void unseenShardEndsTheDaemon() {
        unseen();
        assertThrows(IllegalStateException.class, () -> sync(false));
        assertEquals(List.of(ExitStatus.GAP), exits);
        assertEquals(List.of("listLeases", "getLeaseTableIdentifier"), calls);
    }

    /** A child that is still there gets its lease, though its parent has left the stream. */
    @Test
    void childThatIsThere() throws Exception {
        lease(shardOf(30), null, ExtendedSequenceNumber.SHARD_END);
        stream.shards = List.of(shard(shardOf(20), shardOf(30), null));
        sync(false);
        assertEquals(List.of(), exits);
        assertTrue(leases.stream().anyMatch(lease -> lease.leaseKey().equals(shardOf(20))));
    }

    /** A child of an ended shard was to be read from its start: what has left the stream of it is a gap. */
    @Test
    void childThatIsTrimmed() throws Exception {
        lease(shardOf(30), null, ExtendedSequenceNumber.SHARD_END);
        stream.shards = List.of(shard(shardOf(26), shardOf(30), null));
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.TRIMMED);
        sync(true);
        List<String> noted = Files.readAllLines(gapFile());
        assertEquals(1, noted.size());
        assertTrue(noted.get(0).contains("\"shard\":\"" + shardOf(26) + '"'), noted.get(0));
        // What leaves it until it has its lease is told by who reads it.
        assertEquals("100", begins.ofNew(shardOf(26), List.of()).get(Begins.ATTRIBUTE).s());
    }

    /** One that the list has and a call does not find is left to the next list: it is gone from that, or there. */
    @Test
    void childThatOneCallDoesNotFind() throws Exception {
        lease(shardOf(30), null, ExtendedSequenceNumber.SHARD_END);
        stream.shards = List.of(shard(shardOf(20), shardOf(30), null));
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.GONE);
        assertThrows(ResourceNotFoundException.class, () -> sync(false));
        stream.failuresAt.clear();
        sync(false);
        assertTrue(leases.stream().anyMatch(lease -> lease.leaseKey().equals(shardOf(20))));
        assertEquals(List.of(), exits);
    }

    /** Each child of a split was to be read from its start, and so is what is below a shard that nobody saw. */
    @Test
    void eachChildThatIsTrimmed() throws Exception {
        lease(shardOf(30), null, ExtendedSequenceNumber.SHARD_END);
        lease(shardOf(29), null, ExtendedSequenceNumber.SHARD_END);
        stream.shards = List.of(shard(shardOf(26), shardOf(30), null), shard(shardOf(25), shardOf(30), null),
                shard(shardOf(24), "unseen", null));
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.TRIMMED);
        sync(true);
        List<String> noted = Files.readAllLines(gapFile());
        for (String shard : List.of(shardOf(26), shardOf(25), "unseen", shardOf(24))) {
            assertEquals(1, noted.stream().filter(line -> line.contains("\"shard\":\"" + shard + '"')).count(), shard);
        }
    }

    /** A lineage of which everything was read loses its oldest shards, first their leases, then from the stream. */
    @Test
    void steadyState() throws Exception {
        List<String> line = IntStream.range(0, 8).mapToObj(at -> shardOf(29 - 4 * at)).collect(Collectors.toList());
        List<Shard> shards = new ArrayList<>();
        for (int at = 0; at < 8; at++) {
            String parent = at == 0 ? null : line.get(at - 1);
            shards.add(shard(line.get(at), parent, at == 7 ? null : "300"));
            lease(line.get(at), parent, at == 7 ? new ExtendedSequenceNumber("200") : ExtendedSequenceNumber.SHARD_END);
        }
        for (int gone = 0; gone < 4; gone++) {
            stream.shards = shards.subList(gone, 8);
            sync(false);
        }
        assertEquals(List.of(), exits);
        assertTrue(leases.size() < 4, leases.toString());
    }

    /** A first start, and one that was cut short, meet shards whose parents are gone: they were not to be read. */
    @Test
    void firstStart() throws Exception {
        stream.shards = List.of(shard(shardOf(20), "gone", null), shard(shardOf(19), "gone too", null));
        sync(false);
        assertEquals(2, leases.size());
        leases.remove(1);
        sync(false);
        assertEquals(2, leases.size());
        assertEquals(List.of(), exits);
    }

    /** A shard that waits for its turn. */
    private void unread(String shard) {
        lease(shard, null, ExtendedSequenceNumber.TRIM_HORIZON);
        table.lease(shard);
        stream.shards = List.of(shard(shard, null, null));
    }

    /** A row that a reset or another library made gets its shard's start, once; what leaves it from then on is told. */
    @Test
    void unreadRowWithoutABegin() throws Exception {
        unread(shardOf(20));
        sync(false);
        sync(false);
        assertEquals("100", table.begin(shardOf(20)));
        assertEquals(List.of("AT_SEQUENCE_NUMBER/100"), stream.asked);
        assertEquals(1, table.reads);
        stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", FakeStream.TRIMMED);
        assertThrows(TrimmedDataAccessException.class,
                () -> begins.demand(shardOf(20), begins.of(shardOf(20)).get()));
    }

    /** What had left a shard before is no gap that comes: its reset took what was left. Nor is a shard that is gone. */
    @Test
    void unreadRowThatHasLostSomething() throws Exception {
        for (RuntimeException lost : List.of(FakeStream.TRIMMED, FakeStream.GONE)) {
            leases.clear();
            unread(shardOf(20));
            stream.failuresAt.put("AT_SEQUENCE_NUMBER/100", lost);
            sync(false);
            assertNull(table.begin(shardOf(20)));
        }
    }

    /** A begin that is there stays, and a shard that is read, or left the stream, gets none. */
    @Test
    void rowsThatKeepTheirBegins() throws Exception {
        unread(shardOf(20));
        begins.note(shardOf(20), "107");
        for (String shard : List.of(shardOf(19), shardOf(18))) {
            table.lease(shard);
        }
        lease(shardOf(19), null, new ExtendedSequenceNumber("200"));
        lease(shardOf(18), null, ExtendedSequenceNumber.TRIM_HORIZON);
        stream.shards = List.of(shard(shardOf(20), null, null), shard(shardOf(19), null, null));
        sync(false);
        assertEquals("107", table.begin(shardOf(20)));
        assertNull(table.begin(shardOf(19)));
        assertNull(table.begin(shardOf(18)));
        assertEquals(List.of(), stream.asked);
    }
}

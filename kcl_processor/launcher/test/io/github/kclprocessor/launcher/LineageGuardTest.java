package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.ShardDetector;
import software.amazon.kinesis.metrics.NullMetricsScope;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class LineageGuardTest {
    private static final Instant MADE = Instant.now().minus(Duration.ofHours(30));
    private static final String LEASED = shardOf(MADE.minusSeconds(3));
    private static final String OTHER = shardOf(MADE.minusSeconds(2));
    private static final String BEFORE = shardOf(MADE.minusSeconds(1));
    private static final String AFTER = shardOf(MADE.plusSeconds(1));
    private static final String LATER = shardOf(MADE.plusSeconds(2));

    /** As the adapter gives it to a syncer. */
    private static final String STREAM = "us-east-1$111122223333$orders$2026-01-01T00-00-00.000";

    @TempDir
    Path folder;

    private final List<Integer> exits = new ArrayList<>();
    private final FakeStream stream = new FakeStream();
    private final List<String> created = new ArrayList<>();

    private static String shardOf(Instant born) {
        return String.format("shardId-%020d-0a1b2c3d", born.toEpochMilli());
    }

    private static Lease lease(String shard) {
        Lease lease = new Lease();
        lease.leaseKey(shard);
        lease.checkpoint(ExtendedSequenceNumber.SHARD_END);
        return lease;
    }

    /** A sync where these shards have leases. */
    private void sync(boolean goOn, String... leased) throws Exception {
        Gaps gaps = new Gaps(goOn, Optional.of(gapFile()), "orders", exits::add);
        LineageGuard guard = new LineageGuard(STREAM, true, new SourceStream(stream, "arn"), gaps, () -> MADE);
        ShardDetector detector = Fake.of(ShardDetector.class, (method, asked) ->
                method.equals("streamIdentifier") ? StreamIdentifier.singleStreamInstance(STREAM) : List.of());
        List<Lease> leases = Arrays.stream(leased).map(LineageGuardTest::lease).collect(Collectors.toList());
        LeaseRefresher table = Fake.of(LeaseRefresher.class, (method, asked) -> {
            created.add(method);
            return method.equals("listLeases") ? leases : null;
        });
        guard.checkAndCreateLeaseForNewShards(detector, table,
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON),
                new NullMetricsScope(), false, leases.isEmpty());
    }

    private Path gapFile() {
        return folder.resolve("gaps.jsonl");
    }

    /** A shard that came and went without a lease is a gap, once for all its children, and then they are synced. */
    @Test
    void unseenShard() throws Exception {
        stream.shards = List.of(FakeStream.shard(AFTER, "unseen"), FakeStream.shard(LATER, "unseen"));
        sync(true, OTHER);
        List<String> noted = Files.readAllLines(gapFile());
        assertEquals(1, noted.size());
        assertTrue(noted.get(0).contains("\"shard\":\"unseen\",\"checkpoint\":\"TRIM_HORIZON\""), noted.get(0));
        assertTrue(noted.get(0).contains("\"to\":\"" + Gap.created(AFTER).get() + '"'), noted.get(0));
        assertTrue(created.contains("getLeaseTableIdentifier"), created.toString());
    }

    /** Where a gap is to end the daemon, nothing gets a lease past it. */
    @Test
    void unseenShardEndsTheDaemon() {
        stream.shards = List.of(FakeStream.shard(AFTER, "unseen"));
        assertThrows(IllegalStateException.class, () -> sync(false, OTHER));
        assertEquals(List.of(ExitStatus.GAP), exits);
        assertEquals(List.of("listLeases"), created);
    }

    /** A parent that has a lease or is still there tells its own gaps; a child with a lease was told about. */
    @Test
    void parentsThatAreSeen() throws Exception {
        stream.shards = List.of(FakeStream.shard(AFTER, LEASED));
        sync(false, LEASED);
        stream.shards = List.of(FakeStream.shard(AFTER, null), FakeStream.shard(LATER, AFTER));
        sync(false, OTHER);
        stream.shards = List.of(FakeStream.shard(AFTER, "unseen"));
        sync(false, AFTER);
        assertEquals(List.of(), exits);
    }

    /** What was gone when the first leases were made was not to be read. */
    @Test
    void parentsOfBeforeTheFirstStart() throws Exception {
        stream.shards = List.of(FakeStream.shard(AFTER, "unseen"));
        sync(false);
        stream.shards = List.of(FakeStream.shard(BEFORE, "unseen"));
        sync(false, OTHER);
        assertEquals(List.of(), exits);
    }
}

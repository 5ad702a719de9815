package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.retrieval.GetRecordsResponseAdapter;
import software.amazon.kinesis.retrieval.KinesisDataFetcherProviderConfig;

class ShardReadsTest {
    private static final String SHARD = "shardId-1";
    private static final InitialPositionInStreamExtended TRIM_HORIZON =
            InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);

    private final FakeStream stream = new FakeStream();
    private final SourceStream source = new SourceStream(stream, "arn");
    private final GapGuard guard = new GapGuard(stream, Region.US_EAST_1, source,
            new Gaps(true, Optional.empty(), "orders", code -> {}), new UntoldGaps(),
            new Denials(code -> {}, System::nanoTime),
            new Begins(source, new FakeLeaseTable(), "leases"), new SignsOfLife(), shard -> {});
    private final ShardReads reads = new ShardReads(guard,
            new KinesisDataFetcherProviderConfig(
                    StreamIdentifier.singleStreamInstance("us-east-1$111122223333$orders$2026-01-01T00-00-00.000"),
                    SHARD, new NullMetricsFactory(), 1000, Duration.ofSeconds(1)),
            new ReadLimit());

    @BeforeEach
    void begin() {
        stream.shards = List.of(FakeStream.shard("shardId-2", SHARD));
        reads.initialize("7", TRIM_HORIZON);
    }

    private void page(String next, String sequenceNumber) {
        stream.reads.add(GetRecordsResponse.builder().nextShardIterator(next)
                .records(Record.builder().dynamodb(change -> change.sequenceNumber(sequenceNumber)).build()).build());
    }

    private String read() {
        GetRecordsResponseAdapter page = reads.getRecords().acceptAdapter();
        return page.records().isEmpty() ? null : page.records().get(0).sequenceNumber();
    }

    /** The last page of a shard is its end, with the shard's children. */
    @Test
    void lastPageIsTheEnd() {
        page("second", "8");
        page(null, "9");
        assertEquals("8", read());
        assertFalse(reads.isShardEndReached());
        GetRecordsResponseAdapter last = reads.getRecords().acceptAdapter();
        assertEquals("shardId-2", last.childShards().get(0).shardId());
        assertTrue(reads.isShardEndReached());
    }

    /**
     * A shard whose last pages were thrown away is read on from the one before them, and has not ended until
     * the last is read again: each may be shorter the second time, and what is behind one that is taken for the
     * end is read by nobody.
     */
    @Test
    void lastPageIsThrownAway() {
        page("second", "8");
        page(null, "9");
        read();
        read();
        reads.resetIterator("second", "8", TRIM_HORIZON);
        page("third", "9");
        page(null, "10");
        assertEquals("9", read());
        assertFalse(reads.isShardEndReached());
        assertEquals("10", read());
        assertTrue(reads.isShardEndReached());
    }

    /** A shard that has left the stream by the time that it is read again has ended all the same. */
    @Test
    void shardIsGoneWhenItIsReadAgain() {
        page("second", "8");
        page(null, "9");
        read();
        read();
        reads.resetIterator("second", "8", TRIM_HORIZON);
        stream.reads.add(FakeStream.GONE);
        stream.goneAfterReads = true;
        assertEquals(null, read());
        assertTrue(reads.isShardEndReached());
    }
}

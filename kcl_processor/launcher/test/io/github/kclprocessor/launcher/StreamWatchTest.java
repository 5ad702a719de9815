package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class StreamWatchTest {
    @TempDir
    Path folder;

    private final FakeStream stream = new FakeStream();
    private final List<Lease> leases = new ArrayList<>();
    private final List<Integer> exits = new ArrayList<>();

    private StreamWatch watch(boolean goOn) {
        Gaps gaps = new Gaps(goOn, Optional.of(folder.resolve("gaps")), "orders", exits::add);
        return new StreamWatch(new SourceStream(stream, "arn"), () -> leases, gaps);
    }

    private void lease(String shard, ExtendedSequenceNumber checkpoint) {
        Lease lease = new Lease();
        lease.leaseKey(shard);
        lease.checkpoint(checkpoint);
        leases.add(lease);
    }

    @BeforeEach
    void turnOff() {
        stream.status = StreamStatus.DISABLED;
        stream.shards = List.of(FakeStream.shard("a", null), FakeStream.shard("b", "a"));
    }

    /** A stream that is on, or about to be, ends nothing. */
    @Test
    void streamThatIsOn() {
        for (StreamStatus status : List.of(StreamStatus.ENABLED, StreamStatus.ENABLING)) {
            stream.status = status;
            watch(false).run();
        }
        assertEquals(List.of(), exits);
    }

    /** What can still be read is read first: open leases, and a shard that has no lease yet. */
    @Test
    void whatIsLeftIsReadFirst() {
        StreamWatch watch = watch(false);
        lease("a", new ExtendedSequenceNumber("7"));
        watch.run();
        leases.clear();
        lease("a", ExtendedSequenceNumber.SHARD_END);
        watch.run();
        assertEquals(List.of(), exits);
        lease("b", ExtendedSequenceNumber.SHARD_END);
        watch.run();
        assertEquals(List.of(9), exits);
    }

    /** A list of many pages counts to its last. */
    @Test
    void pages() {
        stream.shardsAPage = 1;
        lease("a", ExtendedSequenceNumber.SHARD_END);
        watch(false).run();
        assertEquals(List.of(), exits);
    }

    /** Shards that were passed at a first start, and leases of another stream's, are not waited for. */
    @Test
    void othersAreNotWaitedFor() {
        lease("b", ExtendedSequenceNumber.SHARD_END);
        lease("of the next stream", ExtendedSequenceNumber.TRIM_HORIZON);
        watch(false).run();
        assertEquals(List.of(9), exits);
    }

    /** Of a stream that is gone there is nothing to wait for. */
    @Test
    void streamThatIsGone() {
        stream.status = null;
        lease("a", new ExtendedSequenceNumber("7"));
        watch(false).run();
        assertEquals(List.of(9), exits);
    }

    /** Told to go on over gaps, it notes this one, and a supervisor's start follows the new stream. */
    @Test
    void notedGap() throws Exception {
        stream.status = StreamStatus.ENABLED;
        StreamWatch watch = watch(true);
        watch.run();
        stream.status = null;
        watch.run();
        assertEquals(List.of(1), exits);
        String noted = Files.readString(folder.resolve("gaps"));
        assertTrue(noted.contains("\"shard\":null,\"checkpoint\":\"arn\",\"from\":\"20"), noted);
        assertTrue(noted.contains("\"to\":null,\"reason\":\"the stream was turned off\"}"), noted);
    }

    /** Of a stream that was off before the daemon began nobody knows since when. */
    @Test
    void turnedOffBefore() throws Exception {
        stream.status = null;
        watch(true).run();
        String noted = Files.readString(folder.resolve("gaps"));
        assertTrue(noted.contains("\"checkpoint\":\"arn\",\"from\":null,\"to\":null"), noted);
    }

    /** What went unread with the stream was made before it was turned off. */
    @Test
    void goneUnread() throws Exception {
        stream.status = StreamStatus.ENABLED;
        lease("a", new ExtendedSequenceNumber("7"));
        StreamWatch watch = watch(true);
        watch.run();
        stream.status = null;
        watch.run();
        String noted = Files.readString(folder.resolve("gaps"));
        assertTrue(noted.contains("\"checkpoint\":\"arn\",\"from\":null,\"to\":null"), noted);
    }

    /** A gap that cannot be noted is a person's, as with shards. */
    @Test
    void gapThatCannotBeNoted() throws Exception {
        Files.createDirectory(folder.resolve("gaps"));
        stream.status = null;
        watch(true).run();
        assertEquals(List.of(9), exits);
    }

    /** A look that fails ends nothing; the next one tells. */
    @Test
    void failedLook() {
        stream.shards = null;
        watch(false).run();
        assertEquals(List.of(), exits);
    }
}

package io.github.kclprocessor.launcher;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * Where each shard iterator stands: a request for records names an iterator and no shard.
 *
 * <p>A shard has one entry, which moves on with each read.
 */
final class Positions {
    static final class Position {
        final GetShardIteratorRequest request;
        final String checkpoint;
        /** When the last change that was read here was made; null before the first. */
        final Instant lastRead;
        /** Whether it is written down where the shard begins. */
        final boolean begun;

        Position(GetShardIteratorRequest request, String checkpoint, Instant lastRead, boolean begun) {
            this.request = request;
            this.checkpoint = checkpoint;
            this.lastRead = lastRead;
            this.begun = begun;
        }
    }

    private final Map<String, Position> byIterator = new ConcurrentHashMap<>();

    void start(String iterator, GetShardIteratorRequest request, boolean begun) {
        // The iterator before it was given up: it had expired, or the shard was taken up anew.
        byIterator.values().removeIf(position -> position.request.shardId().equals(request.shardId()));
        byIterator.put(iterator, begin(request, begun));
    }

    /** Where an iterator stands that was asked for, and not read from yet. */
    static Position begin(GetShardIteratorRequest request, boolean begun) {
        return new Position(request, checkpoint(request), null, begun);
    }

    /** An iterator stands behind a checkpoint again, or at a place such as TRIM_HORIZON. */
    void resume(String iterator, String stream, String shard, String checkpoint) {
        boolean read = !new ExtendedSequenceNumber(checkpoint).isSentinelCheckpoint();
        start(iterator, GetShardIteratorRequest.builder().streamName(stream).shardId(shard)
                .shardIteratorType(read ? ShardIteratorType.AFTER_SEQUENCE_NUMBER.toString() : checkpoint)
                .startingSequenceNumber(read ? checkpoint : null).build(), read);
    }

    /** The position of an iterator; one that never came through here stands nowhere. */
    Position of(String iterator) {
        return byIterator.getOrDefault(iterator, UNKNOWN);
    }

    /** Moves a position past what was read from it; a failed read leaves it where it was. */
    void advance(String iterator, Position from, RememberedRecords read) {
        byIterator.remove(iterator);
        if (read.nextShardIterator() != null) {
            List<KinesisClientRecord> records = read.records();
            byIterator.put(read.nextShardIterator(), records.isEmpty() ? from : after(from, records));
        }
    }

    private static Position after(Position from, List<KinesisClientRecord> records) {
        KinesisClientRecord last = records.get(records.size() - 1);
        return new Position(from.request, last.sequenceNumber(), last.approximateArrivalTimestamp(), true);
    }

    /** The sequence number after which a request reads, or the name of a place such as TRIM_HORIZON. */
    static String checkpoint(GetShardIteratorRequest request) {
        String sequenceNumber = request.startingSequenceNumber();
        return sequenceNumber == null ? request.shardIteratorTypeAsString() : sequenceNumber;
    }

    private static final Position UNKNOWN =
            new Position(GetShardIteratorRequest.builder().shardId("unknown").build(), "unknown", null, true);
}

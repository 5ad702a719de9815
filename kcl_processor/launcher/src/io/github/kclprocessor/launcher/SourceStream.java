package io.github.kclprocessor.launcher;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;
import software.amazon.awssdk.services.dynamodb.model.StreamRecord;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** What there is of the source's stream: whether it is on, its shards, what is left of one. */
final class SourceStream {
    private static final Set<StreamStatus> ON = Set.of(StreamStatus.ENABLED, StreamStatus.ENABLING);

    /**
     * Pages without a record, in a row, behind which nothing is looked for: it may take several reads to come to
     * records (API reference, GetRecords), and how many is said nowhere.
     */
    static final int EMPTY_PAGES = 3;

    final String arn;
    private final DynamoDbStreamsClient client;
    /** How often it was asked what is listed; also the lock of the list. */
    private final AtomicLong asks = new AtomicLong();
    private Listing listing;
    /** The last ask before the list began. */
    private long lastListed;

    /** The stream as a list of its shards found it. */
    static final class Listing {
        /** Whether it took changes. */
        final boolean isOn;
        private final Set<String> shards;

        private Listing(List<StreamDescription> pages) {
            isOn = !pages.isEmpty() && SourceStream.isOn(pages.get(0));
            shards = shards(pages).map(Shard::shardId).collect(Collectors.toSet());
        }

        boolean holds(String shard) {
            return shards.contains(shard);
        }
    }

    SourceStream(DynamoDbStreamsClient client, String arn) {
        this.client = client;
        this.arn = arn;
    }

    /** Whether it takes changes; one that does not can be read for a day, then it is gone. */
    boolean isOn() {
        return description().filter(SourceStream::isOn).isPresent();
    }

    private static boolean isOn(StreamDescription stream) {
        return ON.contains(stream.streamStatus());
    }

    /** Whether it can be read, for a day after it was turned off, too. */
    boolean isThere() {
        return description().isPresent();
    }

    private Optional<StreamDescription> description() {
        try {
            return Optional.of(page(null, 1));
        } catch (ResourceNotFoundException e) {
            return Optional.empty();
        }
    }

    /** Every shard that is left, at a call a hundred; none if the stream is gone. */
    List<Shard> shards() {
        return shards(pages()).collect(Collectors.toList());
    }

    private static Stream<Shard> shards(List<StreamDescription> pages) {
        return pages.stream().flatMap(page -> page.shards().stream());
    }

    private List<StreamDescription> pages() {
        List<StreamDescription> pages = new ArrayList<>();
        String last = null;
        try {
            do {
                StreamDescription page = page(last, null);
                pages.add(page);
                last = page.lastEvaluatedShardId();
            } while (last != null);
        } catch (ResourceNotFoundException e) {
            return List.of();
        }
        return pages;
    }

    /**
     * A list that began after this was asked. Those who ask meanwhile share the next one: after a long outage each
     * shard of a fleet does, and the service answers ten calls a second (API reference, DescribeStream).
     */
    Listing listing() {
        long ask = asks.incrementAndGet();
        synchronized (asks) {
            if (lastListed < ask) {
                long last = asks.get();
                listing = new Listing(pages());
                lastListed = last;
            }
            return listing;
        }
    }

    private StreamDescription page(String after, Integer limit) {
        return client.describeStream(ask -> ask.streamArn(arn).exclusiveStartShardId(after).limit(limit))
                .streamDescription();
    }

    /**
     * Makes sure that nothing of a shard has left the stream from a sequence number on; whether that could be
     * told.
     *
     * @throws TrimmedDataAccessException if something has, or ResourceNotFoundException, with the shard
     */
    boolean demand(String shard, String sequenceNumber) {
        try {
            client.getShardIterator(ask -> ask.streamArn(arn).shardId(shard)
                    .shardIteratorType(ShardIteratorType.AT_SEQUENCE_NUMBER).sequenceNumber(sequenceNumber));
            return true;
        } catch (DynamoDbException e) {
            if (!isRefusal(e)) {
                throw e;
            }
            Connectors.LOG.warn("Whether changes of shard {} after {} have left the stream cannot be told ({})",
                    shard, sequenceNumber, e.getMessage());
            return false;
        }
    }

    /** The oldest change that a shard still has; empty if there is none within a few pages. */
    Optional<StreamRecord> oldestLeft(String shard) {
        try {
            String iterator = client.getShardIterator(ask -> ask.streamArn(arn).shardId(shard)
                    .shardIteratorType(ShardIteratorType.TRIM_HORIZON)).shardIterator();
            for (int page = 0; iterator != null && page < EMPTY_PAGES; page++) {
                GetRecordsRequest one = GetRecordsRequest.builder().shardIterator(iterator).limit(1).build();
                GetRecordsResponse read = client.getRecords(one);
                if (!read.records().isEmpty()) {
                    return Optional.of(read.records().get(0).dynamodb());
                }
                iterator = read.nextShardIterator();
            }
            return Optional.empty();
        } catch (ResourceNotFoundException | TrimmedDataAccessException e) {
            return Optional.empty();
        }
    }

    /** When the oldest change that a shard still has was made; null if there is none. */
    Instant oldestLeftMade(String shard) {
        return oldestLeft(shard).map(StreamRecord::approximateCreationDateTime).orElse(null);
    }

    /** Whether the service will never do what it was asked for, however often. */
    static boolean isRefusal(DynamoDbException failure) {
        return ErrorCodes.code(failure).equals("ValidationException");
    }
}

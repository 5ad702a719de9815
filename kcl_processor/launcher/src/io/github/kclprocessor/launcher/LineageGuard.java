package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsShardSyncer;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.coordinator.ShardSyncs;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.ShardDetector;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.metrics.MetricsScope;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * The adapter's shard sync, which passes no shard that came and went without a lease, and leaves none that waits
 * to be read without its begin.
 *
 * <p>A shard whose children the stream does not tell in time ends without them ({@code
 * DynamoDBStreamsDataFetcher.getChildShards}), and they wait for a sync. Should that come after they have left
 * the stream, whole or in part, nobody holds a lease at which {@link GapGuard} could state the gap.
 *
 * <p>What is there then: a lease without one of a child, which has ended (the adapter keeps it until its
 * children have) or whose own shard left the stream unread; and an open shard that has no lease, whose line
 * breaks off at a parent that nobody knows. The second alone is what a first start meets, and one that was
 * cut short.
 */
final class LineageGuard extends DynamoDBStreamsShardSyncer {
    private final SourceStream stream;
    private final Gaps gaps;
    private final Begins begins;

    LineageGuard(String streamIdentifier, boolean cleanup, SourceStream stream, Gaps gaps, Begins begins) {
        super(false, streamIdentifier, cleanup, null);
        this.stream = stream;
        this.gaps = gaps;
        this.begins = begins;
    }

    @Override
    public synchronized boolean checkAndCreateLeaseForNewShards(ShardDetector detector, LeaseRefresher leases,
            InitialPositionInStreamExtended position, MetricsScope scope, boolean ignoreUnexpectedChildren,
            boolean isFirst) throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        // Before the shards: what has a lease and is not among them then has left the stream.
        List<Lease> leased = leases.listLeases();
        List<Shard> listed = list(detector, leases.getLeaseTableIdentifier());
        if (listed != null) {
            stateUnseen(listed, leased);
        }
        boolean synced = super.checkAndCreateLeaseForNewShards(
                new Listed(detector, listed), leases, position, scope, ignoreUnexpectedChildren, isFirst);
        leased.stream().filter(lease -> ExtendedSequenceNumber.TRIM_HORIZON.equals(lease.checkpoint()))
                .map(Lease::leaseKey).forEach(begins::noteUnread);
        return synced;
    }

    /** As the adapter does it: nothing of a stream that is gone, and null where it could not be listed. */
    private static List<Shard> list(ShardDetector detector, String consumer) {
        try {
            return detector.listShards(consumer);
        } catch (software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException e) {
            return List.of();
        }
    }

    private void stateUnseen(List<Shard> listed, List<Lease> leases) {
        TreeSet<String> inStream = listed.stream().map(Shard::shardId).collect(Collectors.toCollection(TreeSet::new));
        // A list may lag, and then lacks the youngest. An id begins with the shard's creation.
        Set<String> childless = ShardSyncs.childless(leases, lease ->
                !inStream.contains(lease.leaseKey()) && inStream.higher(lease.leaseKey()) != null);
        if (childless.isEmpty()) {
            return;
        }
        // Of which line it was is not known: what is missing was made after one of them began.
        Instant from = childless.stream().map(Gap::created).flatMap(Optional::stream)
                .min(Instant::compareTo).orElse(null);
        Set<String> leased = leases.stream().map(Lease::leaseKey).collect(Collectors.toSet());
        Set<String> told = new HashSet<>();
        for (Shard child : oldest(listed, leased)) {
            String parent = child.parentShardId();
            if (!leased.contains(parent) && told.add(parent)) {
                gaps.found(new Gap(parent, "TRIM_HORIZON", from, Gap.created(child.shardId()).orElse(null)),
                        ResourceNotFoundException.builder().message("it never had a lease").build());
            }
            demand(child);
        }
    }

    /**
     * Of such a child all was to be read, where a first start takes what is left ({@link Begins}).
     *
     * @throws ResourceNotFoundException if it has left the stream since the list, which the next one tells
     */
    private void demand(Shard child) {
        begins.toBeWhole(child.shardId());
        try {
            stream.demand(child.shardId(), child.sequenceNumberRange().startingSequenceNumber());
        } catch (TrimmedDataAccessException e) {
            gaps.found(new Gap(child.shardId(), "TRIM_HORIZON", null, stream.oldestLeftMade(child.shardId())), e);
        }
    }

    /** The oldest of each line that are to get a lease, and have a parent. */
    private static Collection<Shard> oldest(List<Shard> shards, Set<String> leased) {
        Map<String, Shard> listed = shards.stream().collect(Collectors.toMap(Shard::shardId, Function.identity()));
        Map<String, Shard> found = new TreeMap<>();
        for (Shard shard : shards) {
            if (shard.sequenceNumberRange().endingSequenceNumber() != null || leased.contains(shard.shardId())) {
                continue;
            }
            Shard oldest = shard;
            while (listed.containsKey(oldest.parentShardId()) && !leased.contains(oldest.parentShardId())) {
                oldest = listed.get(oldest.parentShardId());
            }
            if (oldest.parentShardId() != null) {
                found.put(oldest.shardId(), oldest);
            }
        }
        return found.values();
    }

    /** One list for both looks: between two of them a shard might leave the stream. */
    private static final class Listed implements ShardDetector {
        private final ShardDetector detector;
        private final List<Shard> shards;

        Listed(ShardDetector detector, List<Shard> shards) {
            this.detector = detector;
            this.shards = shards;
        }

        @Override
        public Shard shard(String id) {
            return detector.shard(id);
        }

        @Override
        public List<Shard> listShards() {
            return shards;
        }

        @Override
        public List<Shard> listShards(String consumer) {
            return shards;
        }

        @Override
        public StreamIdentifier streamIdentifier() {
            return detector.streamIdentifier();
        }
    }
}

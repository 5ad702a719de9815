package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsShardSyncer;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.ShardDetector;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.metrics.MetricsScope;

/**
 * The adapter's shard sync, which passes no shard that came and went without a lease.
 *
 * <p>A shard whose children the stream does not tell in time ends without them ({@code
 * DynamoDBStreamsDataFetcher.getChildShards}), and they wait for a sync. Should that come after they have left
 * the stream, nobody holds a lease at which {@link GapGuard} could state the gap; but their own children name
 * them.
 */
final class LineageGuard extends DynamoDBStreamsShardSyncer {
    private final SourceStream stream;
    private final Gaps gaps;
    private final Supplier<Instant> since;

    /** @param since when the lease table was made: a parent that was gone by then was not to be read */
    LineageGuard(String streamIdentifier, boolean cleanup, SourceStream stream, Gaps gaps, Supplier<Instant> since) {
        super(false, streamIdentifier, cleanup, null);
        this.stream = stream;
        this.gaps = gaps;
        this.since = since;
    }

    @Override
    public synchronized boolean checkAndCreateLeaseForNewShards(ShardDetector detector, LeaseRefresher leases,
            InitialPositionInStreamExtended position, MetricsScope scope, boolean ignoreUnexpectedChildren,
            boolean isFirst) throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        if (!isFirst) {
            stateUnseen(leases.listLeases());
        }
        return super.checkAndCreateLeaseForNewShards(
                detector, leases, position, scope, ignoreUnexpectedChildren, isFirst);
    }

    private void stateUnseen(List<Lease> leases) {
        Set<String> leased = leases.stream().map(Lease::leaseKey).collect(Collectors.toSet());
        unseen(stream.shards(), leased).forEach((shard, child) -> gaps.found(
                new Gap(shard, "TRIM_HORIZON", null, Gap.created(child).get()),
                ResourceNotFoundException.builder().message("it never had a lease").build()));
    }

    /** Shards that had no lease and are gone, each with a child that is to get one. */
    private Map<String, String> unseen(List<Shard> shards, Set<String> leased) {
        Set<String> known = new HashSet<>(leased);
        shards.forEach(shard -> known.add(shard.shardId()));
        Map<String, String> unseen = new TreeMap<>();
        for (Shard shard : shards) {
            String parent = shard.parentShardId();
            if (parent != null && !known.contains(parent) && !leased.contains(shard.shardId())
                    && isOfOurTime(shard.shardId())) {
                unseen.putIfAbsent(parent, shard.shardId());
            }
        }
        return unseen;
    }

    private boolean isOfOurTime(String shard) {
        Optional<Instant> born = Gap.created(shard);
        return born.isPresent() && born.get().isAfter(since.get());
    }
}

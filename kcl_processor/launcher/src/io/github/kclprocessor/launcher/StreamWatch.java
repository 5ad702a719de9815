package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;

/**
 * Ends the daemon when its stream was turned off, once all that is left in it was read.
 *
 * <p>Turned on again, the table has another stream, of which the KCL knows nothing: with the shards
 * of the old one closed and read, it would stand by for ever.
 */
final class StreamWatch implements Runnable {
    private static final Duration PERIOD = Duration.ofSeconds(15);

    private final SourceStream stream;
    private final Callable<List<Lease>> leases;
    private final Gaps gaps;
    /** Null until it was. */
    private Instant lastOn;
    private boolean told;

    StreamWatch(SourceStream stream, Callable<List<Lease>> leases, Gaps gaps) {
        this.stream = stream;
        this.leases = leases;
        this.gaps = gaps;
    }

    /** Looks four times a minute, for as long as the daemon lives. */
    void start() {
        Rounds.every(PERIOD, "stream-watch", this);
    }

    /** Looks once. */
    @Override
    public void run() {
        try {
            Instant now = Instant.now();
            if (stream.isOn()) {
                lastOn = now;
                return;
            }
            if (!told) {
                told = true;
                Connectors.LOG.error(
                        "The stream {} was turned off. The daemon reads what is left in it, and ends", stream.arn);
            }
            List<Shard> left = stream.shards();
            Map<String, Boolean> ended = leases.call().stream()
                    .collect(Collectors.toMap(Lease::leaseKey, lease -> lease.checkpoint().isShardEnd()));
            if (isRead(left, ended)) {
                // What went with the stream, and was not read, is older.
                gaps.streamEnded(stream.arn, ended.containsValue(false) ? null : lastOn);
            }
        } catch (Exception e) {
            Connectors.LOG.warn("Whether the stream {} is on cannot be told now ({})", stream.arn, e.toString());
        }
    }

    /**
     * Whether every shard that is left in the stream was read to its end.
     *
     * <p>One without a lease is still to be read if it has no children; what was before them may have
     * been passed at a first start.
     */
    private static boolean isRead(List<Shard> shards, Map<String, Boolean> ended) {
        Set<String> parents = shards.stream().map(Shard::parentShardId).collect(Collectors.toSet());
        return shards.stream().map(Shard::shardId)
                .allMatch(shard -> ended.getOrDefault(shard, parents.contains(shard)));
    }
}

package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Changes of one shard that left the stream before they were read. */
final class Gap {
    /** DynamoDB Streams keeps a change for 24 hours (developer guide). */
    static final Duration KEPT = Duration.ofHours(24);
    /** What a host's clock may be behind by: what is missing is not to be taken for older than it is. */
    private static final Duration CLOCKS = Duration.ofHours(1);
    /** A shard's id holds the time of its creation; the adapter reads it from there, too. */
    private static final Pattern SHARD_ID = Pattern.compile("shardId-(\\d{20})-.*");

    final String shard;
    final String checkpoint;
    /** No missing change is older; empty if nothing is known. */
    final Optional<Instant> from;
    /** No missing change is younger. */
    final Instant to;

    /**
     * @param checkpoint the last sequence number that was read, or the name of a place in the shard
     * @param lastRead when the change at the checkpoint was made; null if it was read by another
     *     process: a sequence number says nothing about time
     * @param oldestLeft when the oldest change was made that the shard still has, or null
     */
    Gap(String shard, String checkpoint, Instant lastRead, Instant oldestLeft) {
        this.shard = shard;
        this.checkpoint = checkpoint;
        this.from = lastRead == null ? created(shard) : Optional.of(lastRead);
        this.to = oldestLeft == null ? youngestGone() : oldestLeft;
    }

    /** A shard that is gone though it is younger than what a stream keeps went with its stream. */
    private Instant youngestGone() {
        Instant now = Instant.now();
        Instant expired = now.minus(KEPT);
        return from.isPresent() && from.get().isAfter(expired) ? now : expired.plus(CLOCKS);
    }

    static Optional<Instant> created(String shard) {
        Matcher id = SHARD_ID.matcher(shard);
        return id.matches() ? Optional.of(Instant.ofEpochMilli(Long.parseLong(id.group(1)))) : Optional.empty();
    }

    @Override
    public String toString() {
        return String.format("changes of shard %s after %s, made from %s to %s, left the stream before they were read",
                shard, checkpoint, from.map(Instant::toString).orElse("an unknown time"), to);
    }
}

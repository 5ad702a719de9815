package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * Ends the daemon when its destination was deleted, or made anew: what is checkpointed is not in it; or when
 * the checkpoints were taken over, for another destination or by other rules.
 *
 * <p>A table that is gone refuses writes, but one that came back before the next change takes them. Who takes
 * checkpoints over waits for the workers' end, and one that was paused or cut off looked as if it had come.
 */
final class DestinationWatch implements Runnable {
    private static final Duration PERIOD = Duration.ofSeconds(15);

    private final Claim begun;
    private final Supplier<Claim> look;
    private final Supplier<Optional<Map<String, AttributeValue>>> claimed;
    private final Consumer<Refused> end;
    private boolean told;

    /**
     * @param begun the replica as it was when the daemon began
     * @param look asks what it is now
     * @param claimed reads the claim; none where somebody clears all away
     */
    DestinationWatch(
            Claim begun,
            Supplier<Claim> look,
            Supplier<Optional<Map<String, AttributeValue>>> claimed,
            Consumer<Refused> end) {
        this.begun = begun;
        this.look = look;
        this.claimed = claimed;
        this.end = end;
    }

    /** Looks four times a minute, for as long as the daemon lives. */
    void start() {
        Rounds.every(PERIOD, "destination-watch", this);
    }

    /**
     * Whether the checkpoints were taken over, and the daemon's end begins: to be asked before a shard is taken up,
     * which a worker that slept may be given well before the next look. Where it cannot be told, they were not.
     */
    boolean isTakenOver() {
        try {
            claimed.get().ifPresent(begun::refuseTaken);
        } catch (Refused e) {
            // The end waits for whoever is about to take a shard up.
            Rounds.clock("taken-over").execute(() -> end.accept(e));
            return true;
        } catch (RuntimeException e) {
            Connectors.LOG.debug("Whether this is the same replica cannot be told now ({})", e.toString());
        }
        return false;
    }

    /** Looks once. */
    @Override
    public void run() {
        // Each by itself: a destination that does not say what it is may be written to all the same, and so may one
        // whose claim cannot be read.
        boolean both = looked(() -> claimed.get().ifPresent(begun::refuseTaken))
                & looked(() -> look.get().refuseMadeAnew(begun.incarnation()));
        told = told && !both;
    }

    private boolean looked(Runnable at) {
        try {
            at.run();
            return true;
        } catch (Refused e) {
            end.accept(e);
        } catch (RuntimeException e) {
            if (!told) {
                told = true;
                Connectors.LOG.warn("Whether this is the same replica cannot be told now ({})", e.toString());
            }
        }
        return false;
    }
}

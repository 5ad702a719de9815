package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What slows this worker down by itself, as {@code throttle_when} of the YAML names it: while it holds, records wait
 * in the {@link Outlet} as they do in a pause.
 *
 * <p>It never stops replication by itself: a look that fails throttles nothing, and one that does not come to its end
 * keeps what the last one found for no longer than a look may take.
 */
final class Throttle implements Runnable {
    static final Duration LOOKS = Duration.ofSeconds(10);
    /** A look that takes longer has failed. */
    static final Duration LONGEST = Duration.ofSeconds(10);
    /** From the answer of a look to that of the next, with what a busy host adds. */
    private static final Duration KEPT = LOOKS.plus(LONGEST).plusSeconds(5);

    /** What is looked at; as a text, its name in a sentence. */
    interface Look {
        /** Whether it holds, told within {@link #LONGEST}. */
        boolean holds() throws IOException, InterruptedException;
    }

    private enum Found { NOTHING, HOLDS, FAILED }

    private final Optional<Look> look;
    private final LongSupplier nanos;
    private Found found = Found.NOTHING;
    /** Until when nothing is let out; null for no time at all. */
    private volatile Long until;
    /** Of this worker, while it is throttled: what says so, and since when, by this host's clock. */
    private volatile Map<String, AttributeValue> told = Map.of();

    Throttle(Optional<Look> look, LongSupplier nanos) {
        this.look = look;
        this.nanos = nanos;
    }

    /** Lets nothing out before the first look has ended, and looks every ten seconds. */
    void start() {
        if (look.isPresent()) {
            until = nanos.getAsLong() + LONGEST.toNanos();
            Rounds.every(LOOKS, "throttle", this);
        }
    }

    /** Whether nothing may be let out now. */
    boolean holds() {
        Long end = until;
        return end != null && nanos.getAsLong() - end < 0;
    }

    /** As {@link Presence} shows it to {@code status} and {@code health}; empty while nothing is held back. */
    Map<String, AttributeValue> told() {
        return holds() ? told : Map.of();
    }

    /** Looks once. */
    @Override
    public void run() {
        look.ifPresent(this::look);
    }

    private void look(Look at) {
        try {
            if (at.holds()) {
                hold(at);
            } else {
                letGo(at, Found.NOTHING, at + " holds no more");
            }
        } catch (IOException e) {
            letGo(at, Found.FAILED, "whether " + at + " holds cannot be told (" + e.getMessage() + ")");
        } catch (RuntimeException e) {
            letGo(at, Found.FAILED, "whether " + at + " holds cannot be told (" + e + ")");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void hold(Look at) {
        if (found != Found.HOLDS) {
            String by = at.toString();
            told = Map.of("by", AttributeValue.fromS(by), "at", AttributeValue.fromN(
                    Long.toString(Instant.now().getEpochSecond())));
            Connectors.LOG.warn("{}", Event.of("throttled", "by " + by, "Throttled by " + by
                    + ": nothing more is applied until it holds no more, and the stream keeps it for a day"));
        }
        found = Found.HOLDS;
        until = nanos.getAsLong() + KEPT.toNanos();
    }

    private void letGo(Look at, Found now, String why) {
        until = null;
        told = Map.of();
        if (found == Found.HOLDS) {
            Connectors.LOG.warn("{}", Event.of("unthrottled", why, "Throttled no more: " + why));
        } else if (now == Found.FAILED && found != Found.FAILED) {
            Connectors.LOG.warn("Nothing is throttled: {}. Try: kcl-processor doctor, or the command by hand", why);
        } else if (now == Found.NOTHING && found == Found.FAILED) {
            Connectors.LOG.warn("Whether {} holds can be told again, and it does not", at);
        }
        found = now;
    }
}

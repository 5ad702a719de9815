package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Ends the daemon when its destination was deleted, or made anew: what is checkpointed is not in it.
 *
 * <p>A table that is gone refuses writes, but one that came back before the next change takes them.
 */
final class DestinationWatch implements Runnable {
    private static final Duration PERIOD = Duration.ofSeconds(15);

    private final Claim begun;
    private final Supplier<Claim> look;
    private final Consumer<Refused> end;
    private boolean told;

    /**
     * @param begun the replica as it was when the daemon began
     * @param look asks what it is now
     */
    DestinationWatch(Claim begun, Supplier<Claim> look, Consumer<Refused> end) {
        this.begun = begun;
        this.look = look;
        this.end = end;
    }

    /** Looks four times a minute, for as long as the daemon lives. */
    void start() {
        Rounds.every(PERIOD, "destination-watch", this);
    }

    /** Looks once. */
    @Override
    public void run() {
        try {
            look.get().refuseMadeAnew(begun.incarnation());
            told = false;
        } catch (Refused e) {
            end.accept(e);
        } catch (RuntimeException e) {
            if (!told) {
                told = true;
                Connectors.LOG.warn("Whether the destination is the same table cannot be told now ({})", e.toString());
            }
        }
    }
}

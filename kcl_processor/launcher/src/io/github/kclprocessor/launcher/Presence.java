package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * A worker's row beside the KCL's state, which tells that its daemon lives: the row's version moves. Of two
 * daemons of one worker id, as on a machine that was copied, the one that came later ends.
 *
 * <p>It also tells that this worker renews its leases, for commands that would have to watch each counter for
 * seconds; when that was is by this host's clock, and who trusts that clock may read it. Nothing here does: a
 * start that finds a row watches for a failover time whether it moves. A daemon whose row was taken, because it
 * slept for longer than that, takes it back, for it was there before; the other then finds an earlier one in its
 * row.
 */
final class Presence {
    static final String KEY = "KclProcessorWorker/";
    private static final String VERSION = "version";
    private static final String GENERATION = "generation";
    private static final String PLACE = "place";
    private static final String HOST = "host";
    /** How many leases the worker holds, and for how long the one was not renewed that waits longest. */
    private static final String HELD = "heldLeases";
    private static final String UNRENEWED = "unrenewedMillis";
    private static final String BEAT_AT = "beatAt";
    /** Only while the worker is throttled: by what, and since when. */
    private static final String THROTTLED = "throttled";
    private static final int BEATS = 4;
    private static final Duration LOOK = Duration.ofMillis(250);
    private static final long LAST_BEAT_MILLIS = 2_000;

    private final OwnRows rows;
    private final String worker;
    private final Place place;
    private final Duration failover;
    private final Supplier<Collection<Lease>> held;
    private final Supplier<Map<String, AttributeValue>> throttled;
    private final ScheduledExecutorService heart = Rounds.clock("presence");
    private Map<String, AttributeValue> ours;
    /** What the last beat was to write, until it is known that it did. */
    private Map<String, AttributeValue> next;
    private boolean told;

    /** How a wait is made. */
    interface Wait {
        void millis(long millis) throws InterruptedException;
    }

    /**
     * @param failover for how long a row must stand still to be a dead daemon's
     * @param held the leases that this worker holds, as the KCL that renews them knows them
     * @param throttled by what it is throttled, and since when; empty if it is not
     */
    Presence(OwnRows rows, String worker, Place place, Duration failover, Supplier<Collection<Lease>> held,
            Supplier<Map<String, AttributeValue>> throttled) {
        this.throttled = throttled;
        this.held = held;
        this.rows = rows;
        this.worker = worker;
        this.place = place;
        this.failover = failover;
    }

    /**
     * Takes the worker's row, before anything else is taken in its name.
     *
     * @throws Refused if another daemon lives in it
     */
    void enter(Wait wait) throws InterruptedException {
        boolean entered = false;
        while (!entered) {
            Optional<Map<String, AttributeValue>> found = rows.read(key());
            if (!found.isPresent()) {
                ours = row(1);
                entered = rows.create(key(), ours);
            } else if (place.isOf(found.get().get(PLACE).s()) || standsStill(found.get(), wait)) {
                ours = row(generation(found.get()) + 1);
                entered = rows.replace(key(), found.get(), ours);
            }
        }
    }

    /** Whether a row stands still for a failover time; false if it has gone. */
    private boolean standsStill(Map<String, AttributeValue> row, Wait wait) throws InterruptedException {
        Connectors.LOG.info("watching whether the daemon of worker {} on {} lives", worker, row.get(HOST).s());
        for (long looks = failover.dividedBy(LOOK); looks > 0; looks--) {
            wait.millis(LOOK.toMillis());
            Optional<Map<String, AttributeValue>> now = rows.read(key());
            if (!now.isPresent()) {
                return false;
            }
            if (!now.get().equals(row)) {
                throw twin(now.get());
            }
        }
        return true;
    }

    /** Beats four times in a failover time, until {@link #leave}. */
    void start(Consumer<Refused> end) {
        long period = failover.toMillis() / BEATS;
        heart.scheduleWithFixedDelay(() -> beatOrTell(end), period, period, TimeUnit.MILLISECONDS);
    }

    private void beatOrTell(Consumer<Refused> end) {
        try {
            beat();
            told = false;
        } catch (Refused e) {
            heart.shutdown();
            end.accept(e);
        } catch (RuntimeException | Error e) {
            // Thrown on, it would stop the heart, and say nothing.
            if (!told) {
                told = true;
                Connectors.LOG.warn("Whether worker {} has a twin cannot be told now ({})", worker, e.toString());
            }
        }
    }

    /**
     * Moves the version of the row.
     *
     * @throws Refused if the row is that of a daemon that was there before this one
     */
    void beat() {
        next = next == null ? row(generation(ours)) : next;
        if (!rows.replace(key(), ours, next)) {
            settle(rows.read(key()));
        }
        ours = next;
        next = null;
    }

    /** The row is not as this daemon left it, unless the answer to its last beat was lost. */
    private void settle(Optional<Map<String, AttributeValue>> found) {
        // Should another be faster here, the next beat finds it.
        if (!found.isPresent()) {
            rows.create(key(), next);
        } else if (!found.get().equals(next)) {
            if (generation(found.get()) <= generation(ours)) {
                throw twin(found.get());
            }
            Connectors.LOG.warn("A daemon of worker {} was started on {} beside this one; it is told to end",
                    worker, found.get().get(HOST).s());
            rows.replace(key(), found.get(), next);
        }
    }

    /** Takes the row away, so that a start elsewhere need not watch it. */
    void leave() {
        heart.shutdown();
        try {
            if (heart.awaitTermination(LAST_BEAT_MILLIS, TimeUnit.MILLISECONDS)) {
                rows.remove(key(), ours);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            Connectors.LOG.warn("The row of worker {} stays, and a start elsewhere watches it ({})", worker,
                    e.toString());
        }
    }

    private Refused twin(Map<String, AttributeValue> other) {
        return new Refused(ExitStatus.CONFIG, "Another daemon of worker " + worker + " lives on "
                + other.get(HOST).s() + ", and was there before this one on " + place.host + ".",
                "give this host's worker an id of its own: kcl.worker_id, or run --workerId");
    }

    private String key() {
        return KEY + worker;
    }

    private Map<String, AttributeValue> row(long generation) {
        Map<String, AttributeValue> row = new HashMap<>();
        row.put(VERSION, AttributeValue.fromS(UUID.randomUUID().toString()));
        row.put(GENERATION, AttributeValue.fromN(Long.toString(generation)));
        row.put(PLACE, AttributeValue.fromS(place.toString()));
        row.put(HOST, AttributeValue.fromS(place.host));
        row.put(BEAT_AT, AttributeValue.fromN(Long.toString(System.currentTimeMillis())));
        // Those of shards that were read to their end are no longer of interest to anybody.
        LongSummaryStatistics unrenewed = held.get().stream()
                .filter(lease -> !ExtendedSequenceNumber.SHARD_END.equals(lease.checkpoint()))
                .mapToLong(lease -> System.nanoTime() - lease.lastCounterIncrementNanos())
                .summaryStatistics();
        long longest = TimeUnit.NANOSECONDS.toMillis(Math.max(0, unrenewed.getMax()));
        row.put(HELD, AttributeValue.fromN(Long.toString(unrenewed.getCount())));
        row.put(UNRENEWED, AttributeValue.fromN(Long.toString(longest)));
        Map<String, AttributeValue> by = throttled.get();
        if (!by.isEmpty()) {
            row.put(THROTTLED, AttributeValue.fromM(by));
        }
        return row;
    }

    private static long generation(Map<String, AttributeValue> row) {
        return Long.parseLong(row.get(GENERATION).n());
    }
}

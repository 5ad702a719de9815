package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * Keeps the last events of a task beside the KCL's state, where {@code kcl-processor events} finds those of every
 * host ({@code fleet/events.py}).
 *
 * <p>An attribute an event, named after its moment, in one of a few rows: workers write to one at once, and none
 * waits for another. The connectors log has all of them, for as long as its files last.
 */
final class Events extends AppenderBase<ILoggingEvent> {
    static final String KEY = "KclProcessorEvents/";
    /** Workers come and go with their names, so a row for each would be rows without end. */
    private static final int ROWS = 8;
    /** Of a row. With words as long as they may be it has 60 KB, and mostly less than 20. */
    static final int KEPT = 100;
    static final int WORDS = 500;
    private static final Duration ROUNDS = Duration.ofSeconds(2);
    /** A stop waits no longer for its last words. */
    private static final long LAST_MILLIS = 2_000;
    private static final String ADVICE = " Try: ";
    private static final String SHARD = "shardId-";

    private final String worker;
    private final String key;
    /** Not written yet, by their names. */
    private final SortedMap<String, AttributeValue> waiting = new TreeMap<>();
    /** Those that the row has too many of. */
    private List<String> surplus = List.of();
    private OwnRows rows;

    Events(String worker) {
        this.worker = worker;
        this.key = KEY + Math.floorMod(worker.hashCode(), ROWS);
    }

    /** Hears the connectors log from now on. */
    void listen() {
        start();
        ((Logger) Connectors.LOG).addAppender(this);
    }

    /** Where they are kept, from now on. */
    synchronized void keepIn(OwnRows beside) {
        rows = beside;
    }

    /** Writes every two seconds what there is to write. */
    void begin() {
        Rounds.every(ROUNDS, "events", this::write);
    }

    @Override
    protected void append(ILoggingEvent line) {
        Object[] arguments = line.getArgumentArray();
        if (arguments != null && arguments.length > 0 && arguments[0] instanceof Event) {
            keep(line.getTimeStamp(), (Event) arguments[0]);
        } else if (line.getLevel().isGreaterOrEqual(Level.ERROR) && line.getFormattedMessage().contains(ADVICE)) {
            // What a record processor says of its end, and not the trace below it.
            String words = line.getFormattedMessage();
            String shard = words.startsWith(SHARD) ? words.split(" ", 2)[0] : null;
            keep(line.getTimeStamp(), Event.of("failed", shard, words, words));
        }
    }

    private synchronized void keep(long at, Event event) {
        Map<String, AttributeValue> kept = new HashMap<>();
        put(kept, "worker", worker);
        put(kept, "what", event.what);
        put(kept, "shard", event.shard);
        put(kept, "from", event.from);
        put(kept, "to", event.to);
        put(kept, "why", event.why);
        String name = String.format("%013d-%08x", at, ThreadLocalRandom.current().nextInt());
        waiting.put(name, AttributeValue.fromM(kept));
        if (waiting.size() > KEPT) {
            waiting.remove(waiting.firstKey());
        }
    }

    private static void put(Map<String, AttributeValue> kept, String name, String value) {
        if (value != null) {
            kept.put(name, AttributeValue.fromS(value.substring(0, Math.min(value.length(), WORDS))));
        }
    }

    /** Writes what waits; what cannot be written now waits on. */
    void write() {
        Map<String, AttributeValue> due;
        List<String> gone;
        OwnRows beside;
        synchronized (this) {
            due = new HashMap<>(waiting);
            gone = surplus;
            beside = rows;
        }
        if (beside == null || due.isEmpty()) {
            return;
        }
        try {
            List<String> there = new ArrayList<>(new TreeMap<>(beside.enter(key, due, gone)).keySet());
            synchronized (this) {
                waiting.keySet().removeAll(due.keySet());
                surplus = there.subList(0, Math.max(0, there.size() - KEPT));
            }
        } catch (RuntimeException e) {
            Connectors.LOG.debug("Events wait to be kept ({})", e.toString());
        }
    }

    /** At the daemon's end: what is not written in a moment stays in the log alone. */
    void writeLast() {
        try {
            CompletableFuture.runAsync(this::write).get(LAST_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            Connectors.LOG.debug("The last events are not kept ({})", e.toString());
        }
    }
}

package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What an operator has paused, as {@code fleet/pause.py} writes it beside the KCL's state: every worker of the
 * task looks every two seconds, and lets nothing of a paused shard out from then on.
 *
 * <p>A shard that is paused keeps its lease. Its record processor goes on to get empty deliveries, at which it
 * checkpoints and shows that it lives; the records wait here.
 */
final class Pauses implements Runnable {
    static final String KEY = "KclProcessorPause";
    /** Stands for every shard of the task. */
    static final String ALL = "*";
    private static final Duration LOOKS = Duration.ofSeconds(2);
    /** In seconds since the epoch, in the year 5138; milliseconds are later. */
    private static final double LATEST = 1e11;

    private volatile Map<String, String> paused = Map.of();
    private OwnRows rows;

    /** Looks before the first record is let out, and from then on every two seconds. */
    void begin(OwnRows beside) {
        rows = beside;
        look();
    }

    void start() {
        Rounds.every(LOOKS, "pauses", this);
    }

    @Override
    public void run() {
        try {
            look();
        } catch (RuntimeException e) {
            // What was paused stays so: to let something out by mistake cannot be made good.
            Connectors.LOG.debug("Whether something is paused cannot be told now ({})", e.toString());
        }
    }

    private void look() {
        Map<String, String> found = new TreeMap<>();
        rows.read(KEY).ifPresent(row -> row.forEach((shard, by) -> found.put(shard, words(by))));
        if (!found.equals(paused)) {
            found.forEach((shard, words) -> {
                if (!words.equals(paused.get(shard))) {
                    Connectors.LOG.warn("{} is paused {}: it is not applied, and the stream keeps it for a day",
                            named(shard), words);
                }
            });
            paused.keySet().stream().filter(shard -> !found.containsKey(shard))
                    .forEach(shard -> Connectors.LOG.warn("{} goes on", named(shard)));
            paused = Map.copyOf(found);
        }
    }

    boolean holds(String shard) {
        return paused.containsKey(ALL) || paused.containsKey(shard);
    }

    private static String named(String shard) {
        return shard.equals(ALL) ? "The task" : "Shard " + shard;
    }

    /** By whom and since when; a row that was written by hand need not say so. */
    static String words(AttributeValue made) {
        AttributeValue by = made.m().get("by");
        AttributeValue at = made.m().get("at");
        if (by == null || at == null || at.n() == null) {
            return "by somebody";
        }
        double seconds = Double.parseDouble(at.n());
        return "by " + by.s() + " since "
                + (Math.abs(seconds) < LATEST ? Instant.ofEpochSecond((long) seconds).toString() : at.n());
    }
}

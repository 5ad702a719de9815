package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * A source in trouble, over all shards: told when it begins, seldom while it lasts, and when it passed. As
 * {@code kcl_processor/replicate/trouble.py} does it for a destination, which says why; a test holds the times
 * of the two equal.
 */
final class ReadTrouble {
    /** From the beginning to the first reminder; each reminder doubles it. */
    static final Duration FIRST_REMINDER = Duration.ofSeconds(10);
    static final Duration LONGEST_REMINDER = Duration.ofSeconds(300);

    private final LongSupplier nanos;
    private final Map<String, Integer> kinds = new TreeMap<>();
    private boolean met;
    private boolean lasts;
    private long began;
    private long lastFailure;
    private long toldAt;
    private long reminder = FIRST_REMINDER.toNanos();

    ReadTrouble(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** A call failed, and will be made again. */
    synchronized void met(RuntimeException failure) {
        long now = nanos.getAsLong();
        boolean again = met && now - lastFailure < LONGEST_REMINDER.toNanos();
        lastFailure = now;
        met = true;
        kinds.merge(kind(failure), 1, Integer::sum);
        if (!lasts) {
            lasts = true;
            began = now;
            toldAt = now;
            reminder = again ? longer() : FIRST_REMINDER.toNanos();
            Connectors.LOG.warn("The source's stream does not answer every call: {} {}", kind(failure),
                    failure.getMessage());
        } else if (now - toldAt >= reminder) {
            toldAt = now;
            reminder = longer();
            Connectors.LOG.warn("The source's stream still does not answer every call, for {} s: {}; the last one: {}",
                    seconds(now - began), counted(), failure.getMessage());
        }
    }

    /** A call succeeded. */
    synchronized void passed() {
        if (lasts && nanos.getAsLong() - lastFailure >= reminder / 2) {
            lasts = false;
            Connectors.LOG.warn("The source's stream answers again; the trouble lasted {} s: {}",
                    seconds(lastFailure - began), counted());
            kinds.clear();
        }
    }

    private long longer() {
        return Math.min(LONGEST_REMINDER.toNanos(), reminder * 2);
    }

    private String counted() {
        return kinds.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .map(kind -> kind.getValue() + " " + kind.getKey())
                .collect(Collectors.joining(", "));
    }

    private static long seconds(long nanos) {
        return Math.round(nanos / 1e9);
    }

    /** The service's code; of what never reached it, the innermost cause. */
    private static String kind(RuntimeException failure) {
        String code = failure instanceof AwsServiceException ? ErrorCodes.code((AwsServiceException) failure) : "";
        if (!code.isEmpty()) {
            return code;
        }
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getClass().getSimpleName();
    }
}

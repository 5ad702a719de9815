package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What a copy leaves beside a task's checkpoints, as {@code launch/copy_mark.py} writes it: whether the copy
 * is whole. A daemon that starts over one that is not leaves a hole for good, or older items over newer ones.
 */
final class CopyMark {
    static final String KEY = "KclProcessorCopy";
    /** A daemon that starts now needs some time until it has read the oldest change. */
    private static final Duration STALE = Gap.KEPT.minusHours(1);

    private CopyMark() {}

    /**
     * Refuses a start over a copy that is not whole.
     *
     * @param started whether the daemon was ever started since: there are leases
     * @throws Refused if it is unfinished, was disturbed, or its first changes are about to leave the stream
     */
    static void refuse(OwnRows rows, String task, boolean started, Instant now) {
        Map<String, AttributeValue> mark = rows.read(KEY).orElse(null);
        if (mark == null) {
            return;
        }
        String state = mark.get("state").s();
        if (!state.equals("done")) {
            throw new Refused(ExitStatus.CONFIG, "The copy of task " + task + ", begun on " + mark.get("host").s()
                    + ", is not whole (" + state + "): items would be missing, or older than they are.",
                    "kcl-processor copy " + task + ", which goes on with it or says what to do");
        }
        Instant begun = Instant.ofEpochSecond((long) Double.parseDouble(mark.get("startedAt").n()));
        if (!started && !mark.get("forced").bool() && begun.isBefore(now.minus(STALE))) {
            throw new Refused(ExitStatus.GAP, "The copy of task " + task + " began at " + begun
                    + ": changes made since are leaving the stream, and nobody has replayed them.",
                    "kcl-processor copy --restart --no-to-empty-only " + task);
        }
    }
}

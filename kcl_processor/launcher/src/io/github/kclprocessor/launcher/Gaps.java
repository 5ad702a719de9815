package io.github.kclprocessor.launcher;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.function.IntConsumer;

/** What happens when changes left the stream before they were read: never nothing. */
final class Gaps {
    private final boolean goOn;
    private final Optional<Path> file;
    private final String task;
    private final IntConsumer exit;

    /**
     * @param goOn whether to go on at the oldest change that is left, after the gap was noted
     * @param file where a gap that was passed is noted, one JSON object a line
     * @param task what an operator calls this replica
     * @param exit ends the daemon with a code
     */
    Gaps(boolean goOn, Optional<Path> file, String task, IntConsumer exit) {
        this.goOn = goOn;
        this.file = file;
        this.task = task;
        this.exit = exit;
    }

    /** Whether the daemon goes on behind a gap. */
    boolean goesOn() {
        return goOn;
    }

    /** States a gap; returns only if the daemon is to go on. */
    void found(Gap gap, Throwable service) {
        state(gap.shard, gap + " (" + service.getMessage() + "). Try: " + advice());
        if (!goOn || !noted(gap.shard, gap.checkpoint, gap.from.orElse(null), gap.to, service.getMessage())) {
            end(ExitStatus.GAP, gap.toString());
        }
    }

    /**
     * Ends the daemon, whose stream was turned off and has been read; a start follows the next one.
     *
     * @param lastOn when the stream was last seen to be on, from where on changes are missing; null if nobody
     *     saw it, or more is missing
     */
    void streamEnded(String stream, Instant lastOn) {
        String since = lastOn == null ? "" : " after " + lastOn;
        String unread = lastOn == null ? "what was not read of it, and " : "";
        String words = "the stream " + stream + " was turned off" + since + ", and nothing is left in it to read: "
                + unread + "changes made until a new one is turned on are in neither";
        state(null, words + ". Try: " + (goOn ? "a supervisor's start, or " : "") + "kcl-processor run " + task
                + (goOn ? "" : " --adopt") + ", then " + repair());
        boolean noted = goOn && noted(null, stream, lastOn, null, "the stream was turned off");
        end(noted ? ExitStatus.CRASH : ExitStatus.GAP, words);
    }

    /** Ends the daemon for a checkpoint at which the stream refuses to begin, now and for ever. */
    void nowhere(String shard, String checkpoint, Throwable service) {
        String words = "shard " + shard + " cannot be read after " + checkpoint;
        Connectors.LOG.error("The stream refuses the checkpoint of a lease: {} ({}). Try: kcl-processor leases reset {}"
                + " --shard {}, which reads the shard again from its oldest change", words, service.getMessage(), task, shard);
        end(ExitStatus.CONFIG, words);
    }

    private static void state(String shard, String words) {
        Connectors.LOG.error("{}", Event.of("gap", shard, words, "GAP " + words));
    }

    private void end(int code, String words) {
        exit.accept(code);
        throw new IllegalStateException(words);
    }

    private String advice() {
        return goOn ? repair() : "set `on_gap: continue` for this task, start it, then " + repair()
                + "; or kcl-processor copy --restart --no-to-empty-only " + task + " before the start";
    }

    private String repair() {
        return "kcl-processor verify " + task + " --repair";
    }

    private boolean noted(String shard, String checkpoint, Instant from, Instant to, String reason) {
        if (!file.isPresent()) {
            return true;
        }
        String line = String.format(
                "{\"at\":%s,\"shard\":%s,\"checkpoint\":%s,\"from\":%s,\"to\":%s,\"reason\":%s}%n",
                json(Instant.now()), json(shard), json(checkpoint), json(from), json(to), json(reason));
        // No channel: one would refuse a thread that is interrupted, as a reader is whose lease is lost.
        File notebook = file.get().toFile();
        try (FileOutputStream notes = new FileOutputStream(notebook, true)) {
            notes.write(((isTorn(notebook) ? "\n" : "") + line).getBytes(StandardCharsets.UTF_8));
            notes.getFD().sync();
            return true;
        } catch (IOException e) {
            // Unnoted, the gap would be passed in silence at the next look.
            Connectors.LOG.error("The gap cannot be noted in {}: {}", file.get(), e.toString());
            return false;
        }
    }

    /** Whether a file ends within a line that a full disk has torn, which would swallow the next one. */
    private static boolean isTorn(File file) throws IOException {
        try (RandomAccessFile lines = new RandomAccessFile(file, "r")) {
            if (lines.length() == 0) {
                return false;
            }
            lines.seek(lines.length() - 1);
            return lines.read() != '\n';
        }
    }

    /** A value as JSON's text, in one line; null as null. */
    static String json(Object value) {
        return value == null ? "null" : '"' + value.toString()
                .replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ") + '"';
    }
}

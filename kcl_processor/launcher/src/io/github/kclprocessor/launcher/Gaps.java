package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

    /** States a gap; returns only if the daemon is to go on. */
    void found(Gap gap, Throwable service) {
        Connectors.LOG.error("GAP {} ({}). Try: {}", gap, service.getMessage(), advice());
        if (!goOn || !noted(gap, service.getMessage())) {
            exit.accept(ExitStatus.GAP);
            throw new IllegalStateException(gap.toString());
        }
    }

    private String advice() {
        String repair = "kcl-processor verify " + task + " --repair";
        return goOn ? repair : "set `on_gap: continue` for this task, start it, then " + repair
                + "; or kcl-processor copy " + task + " before the start";
    }

    private boolean noted(Gap gap, String reason) {
        if (!file.isPresent()) {
            return true;
        }
        String line = String.format(
                "{\"at\":\"%s\",\"shard\":\"%s\",\"checkpoint\":\"%s\",\"from\":%s,\"to\":\"%s\",\"reason\":\"%s\"}%n",
                Instant.now(), gap.shard, gap.checkpoint, gap.from.map(time -> "\"" + time + "\"").orElse("null"),
                gap.to, escaped(reason));
        try (FileChannel channel = FileChannel.open(
                file.get(), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            channel.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
            return true;
        } catch (IOException e) {
            // Unnoted, the gap would be passed in silence at the next look.
            Connectors.LOG.error("The gap cannot be noted in {}: {}", file.get(), e.toString());
            return false;
        }
    }

    private static String escaped(String text) {
        return String.valueOf(text).replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
    }
}

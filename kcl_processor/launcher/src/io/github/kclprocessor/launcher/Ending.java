package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How the daemon ends, told where people look: on stderr, which a journal or a container's log keeps, and in
 * a file of the worker's, which {@code kcl-processor status} reads. Both have the errors of the connectors log.
 */
final class Ending extends AppenderBase<ILoggingEvent> {
    /** A record processor that hangs leaves the stacks of up to a hundred threads, a line a frame. */
    private static final int KEPT = 2_000;
    /** A record processor states its reason before the KCL sees its end. */
    private static final long BEFORE_MILLIS = 5_000;
    private static final String ADVICE = " Try: ";

    private final PrintStream stderr;
    private final Deque<ILoggingEvent> errors = new ArrayDeque<>();
    private Optional<Path> file = Optional.empty();
    private Runnable last = () -> {};

    Ending(PrintStream stderr) {
        this.stderr = stderr;
    }

    /** Hears the connectors log from now on. @param file for the end */
    void listen(Optional<Path> file) {
        this.file = file;
        start();
        ((Logger) Connectors.LOG).addAppender(this);
    }

    /** What else is done at the end, when all is said. */
    void last(Runnable done) {
        last = done;
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
            stderr.println("ERROR " + event.getFormattedMessage());
            errors.add(event);
            if (errors.size() > KEPT) {
                errors.remove();
            }
        }
    }

    /** Tells of a start that failed, and gives the exit code. */
    int ofStart(Exception failure) {
        if (!isStarted()) {
            stderr.println("ERROR The daemon cannot start: " + failure.getMessage());
        }
        boolean refused = failure instanceof Refused;
        String words = failure.getMessage();
        Event event = Event.of(refused ? "refused" : "failed", words, "The daemon cannot start: " + words);
        Connectors.LOG.error("{}", event, refused ? null : failure);
        int code = Trouble.exitCode(failure);
        tell(code, "not started", Long.MAX_VALUE);
        return code;
    }

    /**
     * Tells of the end.
     *
     * @param how "stopped gracefully", for instance
     * @param failed when it was settled that the daemon ends by itself, in milliseconds since the epoch; now, if
     *     that lies ahead
     */
    synchronized void tell(int code, String how, long failed) {
        stderr.println(how + ", exit code " + code);
        long now = System.currentTimeMillis();
        file.ifPresent(path -> write(path, String.format("{\"at\":%d.%03d,\"code\":%d,\"reason\":%s}%n",
                now / 1000, now % 1000, code, Gaps.json(code == 0 ? null : reason(failed).orElse(null)))));
        last.run();
    }

    /** The first error that says what to do, of those that go with the end; else the first of them. */
    private Optional<String> reason(long failed) {
        long since = Math.min(failed, System.currentTimeMillis()) - BEFORE_MILLIS;
        List<String> late = errors.stream()
                .filter(error -> error.getTimeStamp() >= since)
                .map(ILoggingEvent::getFormattedMessage)
                .collect(Collectors.toList());
        return late.stream().filter(line -> line.contains(ADVICE)).findFirst().or(() -> late.stream().findFirst());
    }

    /** Whole or not at all, for the owner's eyes. What cannot be written does not hold up the end. */
    private void write(Path path, String line) {
        try {
            Files.createDirectories(path.getParent());
            Path whole = Files.createTempFile(path.getParent(), path.getFileName() + ".", ".new");
            try {
                Files.writeString(whole, line);
                Files.move(whole, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(whole);
            }
        } catch (IOException | RuntimeException e) {
            stderr.println("How it ended cannot be noted in " + path + ": " + e);
        }
    }
}

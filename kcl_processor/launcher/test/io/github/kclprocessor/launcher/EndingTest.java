package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndingTest {
    private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    private final Ending ending = new Ending(new PrintStream(stderr, true));

    @TempDir
    Path folder;

    @BeforeEach
    void listen() {
        ending.listen(Optional.of(file()));
    }

    @AfterEach
    void detach() {
        ((Logger) Connectors.LOG).detachAppender(ending);
    }

    private Path file() {
        return folder.resolve("worker").resolve("ending.json");
    }

    private String noted() throws IOException {
        return Files.readString(file()).replaceAll("\"at\":[0-9]{10}[.][0-9]{3}", "\"at\":AT");
    }

    private List<String> said() {
        return stderr.toString().lines().collect(Collectors.toList());
    }

    /** Of what is said around the end, the reason is what says what to do; all errors go to stderr. */
    @Test
    void theReasonIsWhatSaysWhatToDo() throws IOException {
        Connectors.LOG.info("shard-1 starts");
        Connectors.LOG.error("{} {}", "shard-1", "the \"table\" refuses. Try: mend it");
        Connectors.LOG.error("{} the record processor ended with exit code 8, and with it the daemon", "shard-1");
        Connectors.LOG.error("{} {}", "shard-2", "another. Try: nothing");
        ending.tell(8, "stopped by force", System.currentTimeMillis());
        assertEquals("{\"at\":AT,\"code\":8,\"reason\":\"shard-1 the \\\"table\\\" refuses. Try: mend it\"}\n", noted());
        assertEquals(List.of(
                "ERROR shard-1 the \"table\" refuses. Try: mend it",
                "ERROR shard-1 the record processor ended with exit code 8, and with it the daemon",
                "ERROR shard-2 another. Try: nothing",
                "stopped by force, exit code 8"), said());
    }

    /** Without advice, the first error is the reason; the lines of a stack trace follow it. */
    @Test
    void theFirstErrorIsTheReasonOtherwise() throws IOException {
        Connectors.LOG.error("it broke");
        Connectors.LOG.error("Traceback");
        ending.tell(70, "stopped by force", System.currentTimeMillis());
        assertEquals("{\"at\":AT,\"code\":70,\"reason\":\"it broke\"}\n", noted());
    }

    /** Of a hang the stacks of a hundred threads follow; its name is the reason all the same. */
    @Test
    void stacksDoNotHideTheReason() throws IOException {
        Connectors.LOG.error("{} {}", "shard-1", "no progress. Try: a start");
        for (int line = 0; line < 1000; line++) {
            Connectors.LOG.error("  File \"queue.py\", line 1 in get");
        }
        ending.tell(1, "stopped by force", System.currentTimeMillis());
        assertEquals("{\"at\":AT,\"code\":1,\"reason\":\"shard-1 no progress. Try: a start\"}\n", noted());
    }

    /** What was said and passed long before the end is none of its reasons, nor is it a stop's. */
    @Test
    void earlierErrorsAreNoReason() throws IOException {
        LoggingEvent passed = new LoggingEvent();
        passed.setLevel(Level.ERROR);
        passed.setMessage("A gap was passed. Try: verify");
        passed.setTimeStamp(System.currentTimeMillis() - 60_000);
        ending.doAppend(passed);
        ending.tell(1, "stopped by force", Long.MAX_VALUE);
        assertEquals("{\"at\":AT,\"code\":1,\"reason\":null}\n", noted());
        ending.tell(0, "stopped gracefully", System.currentTimeMillis());
        assertEquals("{\"at\":AT,\"code\":0,\"reason\":null}\n", noted());
    }

    /** A start that failed is told once, with its code. */
    @Test
    void aStartThatFailed() throws IOException {
        assertEquals(ExitStatus.CONFIG, ending.ofStart(new IllegalArgumentException("streamName is not set")));
        assertEquals("{\"at\":AT,\"code\":2,\"reason\":\"The daemon cannot start: streamName is not set\"}\n", noted());
        assertEquals(List.of(
                "ERROR The daemon cannot start: streamName is not set", "not started, exit code 2"), said());
    }

    /** Where nothing can be written, the end goes on, and stderr says so; no half file stays. */
    @Test
    void aFileThatCannotBeWritten() throws IOException {
        Files.createDirectories(file().resolve("in the way"));
        ending.tell(0, "stopped gracefully", 0);
        assertTrue(said().get(1).startsWith("How it ended cannot be noted in "), said().toString());
        try (Stream<Path> left = Files.list(file().getParent())) {
            assertFalse(left.anyMatch(path -> path.toString().endsWith(".new")));
        }
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

class ExitStatusTest {
    private final ExitStatus status = new ExitStatus();
    private final List<Object> open = new ArrayList<>();
    private final List<Integer> codes = new ArrayList<>();
    private final CompletableFuture<Void> letGo = new CompletableFuture<>();
    private final Ending ending = new Ending(new PrintStream(OutputStream.nullOutputStream()));
    private Logger kcl;

    @BeforeEach
    void hearTheKcl() {
        LoggerContext context = new LoggerContext();
        context.addTurboFilter(new ChildExitFilter(status));
        // As if an operator had turned the line off.
        context.getLogger("ROOT").setLevel(Level.OFF);
        kcl = context.getLogger(ChildExitFilter.LOGGER);
    }

    private void giveUp(int exitValue) {
        kcl.error(ChildExitFilter.GIVES_UP + "process records", new RuntimeException());
        kcl.info(ChildExitFilter.EXITED, exitValue);
    }

    private int stop(Future<Boolean> scheduler, Duration grace) {
        new Shutdown(status, () -> scheduler, () -> letGo.complete(null), open, grace, ending, codes::add).run();
        return codes.get(0);
    }

    private static final Future<Boolean> NEVER = new CompletableFuture<>();
    private static final Future<Boolean> AT_ONCE = CompletableFuture.completedFuture(true);

    /** A stop that was asked for, and that every shard answered, is a success. */
    @Test
    void gracefulStop() {
        status.askStop();
        assertEquals(0, stop(AT_ONCE, Duration.ofSeconds(10)));
    }

    /** A stop that was cut short is none. */
    @Test
    void cutStop() {
        status.askStop();
        open.add("a shard that does not answer");
        assertEquals(1, stop(NEVER, Duration.ofMillis(150)));
    }

    /** A stop before any shard was taken up cuts nothing, though the scheduler does not answer. */
    @Test
    void stopDuringStart() {
        status.askStop();
        assertEquals(0, stop(new CompletableFuture<>(), Duration.ofMillis(150)));
        assertTrue(letGo.isDone(), "the leader's lock is released all the same");
    }

    /** A scheduler that miscounts its shards says no, but all of them have ended. */
    @Test
    void schedulerThatLostCount() {
        status.askStop();
        assertEquals(0, stop(CompletableFuture.completedFuture(false), Duration.ofSeconds(10)));
    }

    /** From the first signal on, and at any other end of the JVM too, nothing may be started. */
    @Test
    void ending() {
        assertFalse(status.ending());
        status.askStop();
        assertTrue(status.ending());
        ExitStatus failed = new ExitStatus();
        new Shutdown(failed, () -> AT_ONCE, () -> {}, open, Duration.ofSeconds(10), ending, code -> {}).run();
        assertTrue(failed.ending());
    }

    /** An end that nobody asked for is a crash, even if all shards answered. */
    @Test
    void unaskedEnd() {
        assertEquals(1, stop(AT_ONCE, Duration.ofSeconds(10)));
    }

    /** The daemon ends with the documented code of the record processor that ended by itself. */
    @Test
    void childsCode() {
        giveUp(8);
        giveUp(7);
        assertEquals(8, stop(AT_ONCE, Duration.ofSeconds(10)));
    }

    /** Any other exit value, such as that of a kill, is a crash. */
    @Test
    void otherValues() {
        giveUp(137);
        assertEquals(1, status.code(true));
    }

    /** A child whose lease was lost may end as it likes. */
    @Test
    void childOfALostLease() {
        kcl.info(ChildExitFilter.EXITED, 8);
        status.askStop();
        assertEquals(0, status.code(true));
    }

    /** Nobody waits for a shard whose processor failed: it cannot answer. */
    @Test
    void failedShardIsNotWaitedFor() {
        open.add("the failed one");
        giveUp(7);
        assertEquals(7, stop(NEVER, Duration.ofHours(1)));
    }
}

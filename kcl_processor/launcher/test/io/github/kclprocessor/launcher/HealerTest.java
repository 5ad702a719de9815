package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class HealerTest {
    @RegisterExtension
    final Heard said = new Heard();

    private final List<Long> pauses = new ArrayList<>();
    private long now;
    /** How long each of them lives. */
    private Duration life = Duration.ZERO;

    @TempDir
    Path folder;

    /** Keeps one until the daemon's end begins, in so manieth pause. */
    private void keep(int ends, String... command) {
        new Healer(List.of(command), "orders", () -> pauses.size() >= ends, pauses::add, () -> now += life.toNanos())
                .run();
    }

    /** However often it ends; told once, with its exit value and as an event. */
    @Test
    void oneThatEndsIsStartedAgain() throws Exception {
        Path lives = folder.resolve("lives");
        keep(9, "sh", "-c", "echo >> " + lives + "; kill -9 $$");
        assertEquals(9, Files.readAllLines(lives).size());
        assertEquals(List.of(1000L, 2000L, 4000L, 8000L, 16000L, 32000L, 60000L, 60000L, 60000L), pauses);
        assertEquals(1, said.words().size());
        Event event = said.events().get(0);
        assertEquals("restarted", event.what);
        assertEquals("the process that heals gaps ended by signal 9, and is started again", event.why);
        assertTrue(said.words().get(0).contains("Try: kcl-processor heal orders"), said.words().get(0));
    }

    /** Its end is told each time, and it is started again at once, if it had lived for long. */
    @Test
    void oneThatLivedForLongIsToldOfAgain() {
        life = Duration.ofMinutes(10);
        keep(4, "sh", "-c", "exit 70");
        assertEquals(List.of(1000L, 1000L, 1000L, 1000L), pauses);
        assertEquals(3, said.words().size());
        assertTrue(said.words().get(2).contains("ended with exit code 70"), said.words().get(2));
    }

    /** One that cannot be started is tried again: what was missing may come back. */
    @Test
    void oneThatCannotBeStartedIsTriedAgain() {
        keep(3, folder.resolve("no program").toString());
        assertEquals(List.of(1000L, 2000L, 4000L), pauses);
        assertEquals(1, said.words().size());
        assertTrue(said.words().get(0).contains("cannot be started") && said.words().get(0).contains("no program"));
    }

    /** One that ends with its daemon is neither told of nor started again. */
    @Test
    void nothingIsStartedAtTheEnd() throws Exception {
        Path lives = folder.resolve("lives");
        keep(1, "sh", "-c", "echo >> " + lives);
        assertEquals(1, Files.readAllLines(lives).size());
        assertEquals(List.of(), said.words());
        pauses.add(1L);
        keep(1, "sh", "-c", "echo >> " + lives);
        assertEquals(1, Files.readAllLines(lives).size());
    }

    /** It reads nothing of what the daemon's stdin has. */
    @Test
    void itHasNoInput() throws Exception {
        Path input = folder.resolve("input");
        keep(1, "sh", "-c", "readlink /proc/$$/fd/0 > " + input);
        assertEquals(List.of("/dev/null"), Files.readAllLines(input));
    }
}

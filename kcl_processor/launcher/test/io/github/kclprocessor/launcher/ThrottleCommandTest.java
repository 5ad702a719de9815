package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ThrottleCommandTest {
    @TempDir
    Path folder;

    private static ThrottleCommand said(String script) {
        return new ThrottleCommand(List.of("/bin/sh", "-c", script), Duration.ofSeconds(20));
    }

    private static String failure(ThrottleCommand command) {
        return assertThrows(IOException.class, command::holds).getMessage();
    }

    /** The exit code says it, in the shell's words for true and false. */
    @Test
    void exitCodes() throws Exception {
        assertTrue(said("echo 0").holds());
        assertFalse(said("echo 1").holds());
        assertEquals("it ended with exit code 127", failure(said("echo 127")));
        assertEquals("it took longer than 10 s", failure(said("echo late")));
        assertEquals("/bin/sh ended with exit code 3", failure(said("exit 3")));
    }

    /** A program that is not there is a look that failed. */
    @Test
    void notThere() {
        String program = folder.resolve("no-such-program").toString();
        assertTrue(failure(new ThrottleCommand(List.of(program), Duration.ofSeconds(20))).contains(program));
    }

    /** What does not end is not waited for, and hears so by the end of its input. */
    @Test
    void doesNotEnd() throws Exception {
        Path heard = folder.resolve("heard");
        ThrottleCommand stuck = new ThrottleCommand(
                List.of("/bin/sh", "-c", "read line; : > " + heard), Duration.ofMillis(50));
        assertEquals("it does not end", failure(stuck));
        while (!Files.exists(heard)) {
            Thread.sleep(10);
        }
    }

    /** Its words may hold a password. */
    @Test
    void unnamed() {
        assertEquals("the command of throttle_when", new ThrottleCommand("mysql -psecret").toString());
    }
}

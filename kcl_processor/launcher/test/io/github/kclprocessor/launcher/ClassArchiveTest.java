package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassArchiveTest {
    @TempDir
    Path folder;

    /** One that cannot be made, as where classes lie in a folder, costs nothing and leaves nothing. */
    @Test
    void whereItCannotBeMadeNothingIsLeft() throws IOException {
        Path file = folder.resolve("none").resolve("classes.jsa");
        assertDoesNotThrow(() -> ClassArchive.make(file));
        assertFalse(Files.exists(file));
        try (Stream<Path> left = Files.list(Path.of("."))) {
            assertEquals(0, left.filter(path -> path.getFileName().toString().startsWith("java_pid")).count());
        }
    }
}

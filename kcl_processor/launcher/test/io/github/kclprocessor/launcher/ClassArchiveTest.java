package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class ClassArchiveTest {
    @RegisterExtension
    final Heard said = new Heard(LoggerFactory.getLogger(ClassArchive.class));

    @TempDir
    Path folder;

    @Test
    void aProcessOfItsOwnMakesIt() {
        Path file = folder.resolve("made");
        ClassArchive.make(List.of("touch", file.toString()));
        assertTrue(Files.exists(file));
        assertEquals(List.of(), said.words());
    }

    /** One that cannot be made costs nothing, and the log says why. */
    @Test
    void whyItCannotBeMadeIsSaid() {
        assertDoesNotThrow(() -> ClassArchive.make(List.of("sh", "-c", "echo a full disk >&2; exit 1")));
        assertDoesNotThrow(() -> ClassArchive.make(List.of(folder.resolve("no program").toString())));
        assertTrue(said.words().get(0).contains("a full disk"), said.words().toString());
        assertTrue(said.words().get(1).contains("no program"), said.words().toString());
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class ClassArchiveTest {
    private final Logger log = (Logger) LoggerFactory.getLogger(ClassArchive.class);
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();

    @TempDir
    Path folder;

    @BeforeEach
    void listen() {
        said.start();
        log.addAppender(said);
    }

    @AfterEach
    void stopListening() {
        log.detachAppender(said);
    }

    @Test
    void aProcessOfItsOwnMakesIt() {
        Path file = folder.resolve("made");
        ClassArchive.make(List.of("touch", file.toString()));
        assertTrue(Files.exists(file));
        assertEquals(List.of(), said.list);
    }

    /** One that cannot be made costs nothing, and the log says why. */
    @Test
    void whyItCannotBeMadeIsSaid() {
        assertDoesNotThrow(() -> ClassArchive.make(List.of("sh", "-c", "echo a full disk >&2; exit 1")));
        assertDoesNotThrow(() -> ClassArchive.make(List.of(folder.resolve("no program").toString())));
        assertTrue(said.list.get(0).getFormattedMessage().contains("a full disk"), said.list.toString());
        assertTrue(said.list.get(1).getFormattedMessage().contains("no program"), said.list.toString());
    }
}

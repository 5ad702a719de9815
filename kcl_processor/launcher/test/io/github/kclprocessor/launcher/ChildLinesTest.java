package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The shipped logback.xml, at work. */
class ChildLinesTest {
    @TempDir
    Path folder;

    private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();

    @BeforeEach
    void configure() throws Exception {
        System.setProperty("kcl_processor.log.dir", folder.toString());
        System.setProperty("kcl_processor.log.prefix", "t-");
        context.reset();
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(ChildLinesTest.class.getResource("/logback.xml"));
    }

    @AfterEach
    void close() {
        context.reset();
    }

    private List<String> lines(String file) throws Exception {
        return Files.readAllLines(folder.resolve("t-" + file));
    }

    private void child(String line) {
        Logger drain = LoggerFactory.getLogger("software.amazon.kinesis.multilang.DrainChildSTDERRTask");
        drain.error("Received error line from subprocess [{}] for shard {}", line, "shardId-1");
    }

    /** A child's line keeps its level and loses the KCL's wrapping; it is in one file, once. */
    @Test
    void childLine() throws Exception {
        child("WARNING slow: 3 attempts");
        List<String> lines = lines("connectors.log");
        assertEquals(1, lines.size());
        assertTrue(lines.get(0).endsWith("Z WARN  shardId-1 slow: 3 attempts"), lines.get(0));
        assertEquals(List.of(), lines("kcl.log"));
    }

    /** A line without a level is an error: it may be a stack trace of Python itself. */
    @Test
    void lineWithoutLevel() throws Exception {
        child("Traceback (most recent call last):");
        assertTrue(lines("connectors.log").get(0).endsWith("ERROR shardId-1 Traceback (most recent call last):"));
    }

    /** The KCL's lines go to their own file, less those that are known to mean nothing. */
    @Test
    void knownNoise() throws Exception {
        Logger audit = LoggerFactory.getLogger("software.amazon.kinesis.coordinator.PeriodicShardSyncManager");
        audit.error("Incomplete hash range found for stream {}", "s");
        audit.error("Caught exception");
        assertEquals(1, lines("kcl.log").size());
        assertFalse(lines("kcl.log").get(0).contains("hash range"));
    }
}

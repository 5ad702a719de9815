package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the archive of classes made that later starts begin with, where the start found none.
 *
 * <p>Of a start's CPU a third goes into reading, checking and linking the same classes again. A process of its
 * own makes the archive (launcher/class_archive.py). It is no loss if it cannot: a JVM without archives, a
 * folder that cannot be written.
 */
final class ClassArchive {
    private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);
    private static final String PROPERTY = "kcl_processor.classes";
    /** By then the start is over. */
    private static final long AFTER_SECONDS = 60;

    private ClassArchive() {}

    /** Makes it a minute from now, if this start is to. */
    static void makeLater() {
        Arguments.command(PROPERTY).ifPresent(command -> Rounds.clock("class-archive")
                .schedule(() -> make(command), AFTER_SECONDS, TimeUnit.SECONDS));
    }

    static void make(List<String> command) {
        try {
            Process maker = new ProcessBuilder(command).redirectErrorStream(true).start();
            maker.getOutputStream().close();
            String said = new String(maker.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (maker.waitFor() != 0) {
                tell(said);
            }
        } catch (IOException e) {
            tell(e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void tell(String reason) {
        LOG.info("No archive of classes was made; the next start takes a second longer ({})", reason);
    }
}

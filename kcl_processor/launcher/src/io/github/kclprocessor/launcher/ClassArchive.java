package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the archive of classes that later starts begin with, where the start found none.
 *
 * <p>Of a start's CPU a third goes into reading and checking the same classes again. The JVM writes those
 * that it has loaded into a file, in a process of its own. It is no loss if it cannot: a JVM without the
 * command, a folder that cannot be written.
 */
final class ClassArchive {
    private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);
    private static final String PROPERTY = "kcl_processor.classes";
    /** By then the start is over, and what it takes to replicate has been loaded. */
    private static final long AFTER_SECONDS = 60;

    private ClassArchive() {}

    /** Makes it a minute from now, if this start is to. */
    static void makeLater() {
        Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of).ifPresent(file ->
                Rounds.clock("class-archive").schedule(() -> make(file), AFTER_SECONDS, TimeUnit.SECONDS));
    }

    /** Makes it, whole or not at all. */
    static void make(Path file) {
        Path half = file.resolveSibling(file.getFileName() + "." + ProcessHandle.current().pid());
        Set<Path> before = said();
        try {
            ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "vmCds",
                    new Object[] {new String[] {"static_dump", half.toString()}},
                    new String[] {String[].class.getName()});
            Files.move(half, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (JMException | IOException | RuntimeException e) {
            LOG.info("No archive of classes was made; the next start takes a second longer ({})", e.toString());
        } finally {
            remove(half);
            said().stream().filter(path -> !before.contains(path)).forEach(ClassArchive::remove);
        }
    }

    /** What the JVM that writes it says goes into the working directory, whose id is in the name. */
    private static Set<Path> said() {
        Set<Path> found = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(""), "java_pid*_std*")) {
            files.forEach(found::add);
        } catch (IOException | DirectoryIteratorException e) {
            LOG.debug("The working directory cannot be listed", e);
        }
        return found;
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.debug("{} stays", file, e);
        }
    }
}

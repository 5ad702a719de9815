package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerLockTest {
    @TempDir
    Path folder;

    private Process other;

    /** A process that has a byte of a lock until it is killed. */
    public static final class Holder {
        private Holder() {}

        public static void main(String[] args) throws Exception {
            FileChannel file = FileChannel.open(Path.of(args[0]), StandardOpenOption.CREATE, StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            file.lock(Long.parseLong(args[1]), 1, Boolean.parseBoolean(args[2]));
            System.out.println("held");
            Thread.sleep(Duration.ofMinutes(1).toMillis());
        }
    }

    private Path held(long at, boolean shared) throws IOException {
        Path lock = folder.resolve("worker-1/lock");
        lock.getParent().toFile().mkdirs();
        other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Holder.class.getName(), lock.toString(), Long.toString(at),
                Boolean.toString(shared)).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals("held", other.inputReader().readLine());
        return lock;
    }

    @AfterEach
    void end() throws InterruptedException {
        if (other != null) {
            other.destroyForcibly().waitFor();
        }
    }

    /** With nobody there it is taken at once, its folder made. */
    @Test
    void free() throws Exception {
        WorkerLock.take(folder.resolve("new/lock"), "worker-1").awaitPredecessors(Duration.ZERO);
    }

    /** A worker has one daemon on a host, however it was started. */
    @Test
    void anotherDaemon() throws Exception {
        Path lock = held(0, false);
        Refused refused = assertThrows(Refused.class, () -> WorkerLock.take(lock, "worker-1"));
        assertEquals(ExitStatus.CONFIG, refused.exitCode);
        assertTrue(refused.getMessage().startsWith("A daemon of worker worker-1 already runs on this host. Try: "));
    }

    /** A record processor of an earlier daemon is waited for, and no longer than that. */
    @Test
    void predecessors() throws Exception {
        WorkerLock lock = WorkerLock.take(held(1, true), "worker-1");
        Refused refused = assertThrows(Refused.class, () -> lock.awaitPredecessors(Duration.ofMillis(200)));
        assertEquals(ExitStatus.CRASH, refused.exitCode);
        assertTrue(refused.getMessage().contains("worker-1/lock"), refused.getMessage());
        other.destroyForcibly();
        lock.awaitPredecessors(Duration.ofSeconds(20));
    }
}

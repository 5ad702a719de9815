package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * A worker's lock on its host, as {@code state/worker_lock.py} says it: the daemon's byte is this process'
 * for as long as it lives, and each record processor has a share of the other.
 */
final class WorkerLock {
    private static final long DAEMON = 0;
    /** {@code RECORD_PROCESSORS} of {@code state/worker_lock.py}. */
    private static final long RECORD_PROCESSORS = 1;
    private static final long LOOK_AGAIN_MILLIS = 50;

    final Path file;
    /** Never closed: with any channel of the file the locks would go. */
    private final FileChannel channel;

    private WorkerLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Takes a worker's lock for this process.
     *
     * @throws Refused if another daemon of the worker lives on this host
     */
    static WorkerLock take(Path file, String worker) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        WorkerLock lock = new WorkerLock(file, FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
        if (lock.channel.tryLock(DAEMON, 1, false) == null) {
            throw new Refused(ExitStatus.CONFIG, "A daemon of worker " + worker + " already runs on this host.",
                    "stop it first; a second worker here needs an id of its own: run --workerId");
        }
        return lock;
    }

    /**
     * Waits until the last record processor of an earlier daemon has ended.
     *
     * @param patience for so long; what they have sent is answered or given up by then
     * @throws Refused if one has not
     */
    void awaitPredecessors(Duration patience) throws IOException, InterruptedException {
        if (noneLeft()) {
            return;
        }
        Connectors.LOG.info("waiting for record processors of an earlier daemon, whose requests may be on their way");
        long deadline = System.nanoTime() + patience.toNanos();
        while (!noneLeft()) {
            if (System.nanoTime() > deadline) {
                throw new Refused(ExitStatus.CRASH, "A record processor of an earlier daemon has not ended within "
                        + patience.getSeconds() + " s; it holds " + file + " and may still write.",
                        "fuser -v " + file + " names it; kill -9 ends it");
            }
            Thread.sleep(LOOK_AGAIN_MILLIS);
        }
    }

    private boolean noneLeft() throws IOException {
        try (FileLock free = channel.tryLock(RECORD_PROCESSORS, 1, false)) {
            return free != null;
        }
    }
}

package io.github.kclprocessor.launcher;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import software.amazon.kinesis.multilang.ForkedShardProcessor;

/**
 * One process that has imported everything a record processor needs, and is forked for each shard.
 *
 * <p>A Python process of its own costs half a second of CPU and 33 MB, most of it for what all have in
 * common. The other side is {@code kcl_processor.replicate.fork_server}: it listens at a Unix socket;
 * each connection becomes the input and output of a record processor, which has a number and is in a
 * fork, of many shards with others. On its stdout it says {@code ready}, and then {@code NUMBER CODE} for
 * each that ended; {@code consumed} on its stdin it answers with {@code consumed UNITS}. It ends with its stdin.
 */
final class ForkServer implements ForkedShardProcessor.Forks {
    private static final long START_SECONDS = 60;
    /** For its last words on the way to the log; they come before its end. */
    private static final long LAST_LINES_MILLIS = 5_000;
    /** What a shell says of a process that was killed. */
    private static final int KILLED = 137;

    /** Bytes of a Unix socket's path; {@code sun_path} has 104 to 108. */
    private static final int LONGEST_PATH = 100;

    private static final String SOCKET = "forks-";
    private static final String CONSUMED = "consumed";

    private final Path socket;
    private final Process server;
    private final Thread lines;
    private final IntConsumer ended;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final ConcurrentHashMap<Long, CompletableFuture<Integer>> exits = new ConcurrentHashMap<>();
    private final Consumed consumed;
    /** When it was asked what the forks have consumed, until it has answered. */
    private final AtomicReference<Long> askedAt = new AtomicReference<>();

    /** Takes what all forks have consumed so far, in write capacity units, and when that was asked for. */
    interface Consumed {
        void are(double units, long askedAtNanos);
    }

    /**
     * Starts it; the first fork waits until it is ready.
     *
     * @param command what to start, to which the socket's path is added
     * @param folder this worker's own, where the socket goes if its path is not too long for one
     * @param lines takes each line that it or a fork says on stderr
     * @param ended takes its exit code
     * @param consumed takes the answers to {@link #askConsumed}
     */
    ForkServer(List<String> command, Optional<Path> folder, Consumer<String> lines, IntConsumer ended,
            Consumed consumed) throws IOException {
        this.consumed = consumed;
        socket = socket(folder);
        this.ended = ended;
        List<String> words = new ArrayList<>(command);
        words.add(socket.toString());
        server = new ProcessBuilder(words).start();
        this.lines = reader("fork-lines", server.getErrorStream(), lines, () -> {});
        reader("forks", server.getInputStream(), this::hear, this::end);
    }

    /** A name of its own: one that ends late, behind a daemon that was killed, takes its socket away. */
    private static Path socket(Optional<Path> folder) throws IOException {
        String name = SOCKET + UUID.randomUUID().toString().substring(0, 8);
        Optional<Path> ours = folder.map(path -> path.resolve(name))
                .filter(path -> path.toString().getBytes(StandardCharsets.UTF_8).length <= LONGEST_PATH);
        if (ours.isEmpty()) {
            return Files.createTempDirectory("kcl-processor-").resolve(name);
        }
        // One that was killed leaves its own behind, and the worker's lock is ours.
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder.get(), SOCKET + "*")) {
            for (Path path : left) {
                Files.deleteIfExists(path);
            }
        }
        return ours.get();
    }

    @Override
    public Process fork(String shardId) throws IOException {
        awaitReady();
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            SocketStreams.output(channel).write((shardId + "\n").getBytes(StandardCharsets.UTF_8));
            String[] words = line(channel).split(" ");
            long number = Long.parseLong(words[0]);
            CompletableFuture<Integer> exit = exit(number);
            exit.whenComplete((code, failure) -> exits.remove(number, exit));
            return new ForkedProcess(Long.parseLong(words[1]), channel, exit);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw new IOException("No record processor could be forked for shard " + shardId, e);
        }
    }

    /** Asks what the forks have consumed, unless an answer is due already; they count from the first time on. */
    void askConsumed() {
        if (askedAt.compareAndSet(null, System.nanoTime())) {
            try {
                server.getOutputStream().write((CONSUMED + "\n").getBytes(StandardCharsets.UTF_8));
                server.getOutputStream().flush();
            } catch (IOException e) {
                // It has ended, which is told elsewhere.
            }
        }
    }

    private void awaitReady() throws IOException {
        try {
            ready.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("The record processors' server did not start", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Byte by byte: what follows is the MultiLang protocol's. */
    private static String line(SocketChannel channel) throws IOException {
        StringBuilder text = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (channel.read(one.clear()) > 0 && one.get(0) != '\n') {
            text.append((char) one.get(0));
        }
        return text.toString();
    }

    private CompletableFuture<Integer> exit(long number) {
        return exits.computeIfAbsent(number, ignored -> new CompletableFuture<>());
    }

    private void hear(String line) {
        String[] words = line.split(" ");
        if (words.length == 1) {
            ready.complete(null);
        } else if (words[0].equals(CONSUMED)) {
            consumed.are(Double.parseDouble(words[1]), askedAt.getAndSet(null));
        } else {
            exit(Long.parseLong(words[0])).complete(Integer.parseInt(words[1]));
        }
    }

    /** Without it nobody hears how a fork ends: what is left is told of as killed. */
    private void end() {
        if (ready.completeExceptionally(new IOException("it ended"))) {
            // It has no forks, which would speak on: what it says ends with it, and has its reason.
            awaitLines();
        }
        exits.values().forEach(exit -> exit.complete(KILLED));
        // Last, for it may end this JVM.
        ended.accept(code());
    }

    private void awaitLines() {
        try {
            lines.join(LAST_LINES_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int code() {
        try {
            return server.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return KILLED;
        }
    }

    private static Thread reader(String name, InputStream stream, Consumer<String> line, Runnable atEnd) {
        Thread thread = new Thread(() -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                lines.lines().forEach(line);
            } catch (IOException | UncheckedIOException e) {
                // The process is gone, which is the end of its streams as well.
            }
            atEnd.run();
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}

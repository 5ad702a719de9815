package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ForkServerTest {
    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();
    private final CompletableFuture<Double> consumed = new CompletableFuture<>();

    @TempDir
    Path folder;

    private ForkServer server() throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ForkServer(
                List.of(java, "-cp", System.getProperty("java.class.path"), FakeForkServer.class.getName()),
                Optional.of(folder), lines::add, ended::complete, (units, askedAt) -> consumed.complete(units));
    }

    /** What is written arrives, what is answered comes back, and its end is told with its exit code. */
    @Test
    void aForkIsAProcess() throws Exception {
        Process fork = server().fork("7");
        assertEquals(1_000_001, fork.pid());
        assertThrows(IllegalThreadStateException.class, fork::exitValue);
        fork.getOutputStream().write("hello\n".getBytes());
        BufferedReader answers = new BufferedReader(new InputStreamReader(fork.getInputStream()));
        assertEquals("hello!", answers.readLine());
        fork.getOutputStream().close();
        assertEquals(-1, answers.read());
        assertEquals(7, fork.waitFor());
        assertEquals(7, fork.exitValue());
        assertEquals(-1, fork.getErrorStream().read());
        fork.getInputStream().close();
        assertEquals("INFO 7 begins", lines.poll(10, TimeUnit.SECONDS));
    }

    /** One that ends late, behind a daemon that was killed, takes its own socket away and no other's. */
    @Test
    void eachServerHasASocketOfItsOwn() throws Exception {
        server().fork("0");
        Path first = socket();
        server().fork("0");
        assertNotEquals(first, socket());
    }

    /** The only one that is there. */
    private Path socket() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.collect(Collectors.toList());
            assertEquals(1, found.size(), found.toString());
            return found.get(0);
        }
    }

    /** A reader that waits does not hold up a writer. */
    @Test
    void bothDirectionsGoAtOnce() throws Exception {
        Process fork = server().fork("0");
        CompletableFuture<Integer> read = CompletableFuture.supplyAsync(() -> {
            try {
                return fork.getInputStream().read();
            } catch (IOException e) {
                return -2;
            }
        });
        assertThrows(java.util.concurrent.TimeoutException.class, () -> read.get(200, TimeUnit.MILLISECONDS));
        fork.getOutputStream().write("x\n".getBytes());
        assertEquals('x', read.get(10, TimeUnit.SECONDS));
        fork.getOutputStream().close();
    }

    /** A server that ends is told with its exit code, and no later fork waits for it. */
    @Test
    void aServerThatEndsIsTold() throws Exception {
        ForkServer server = server();
        assertThrows(IOException.class, () -> server.fork("end"));
        assertEquals(5, ended.get(10, TimeUnit.SECONDS));
        assertThrows(IOException.class, () -> server.fork("1"));
    }

    /** What its forks have consumed it says when it is asked. */
    @Test
    void consumed() throws Exception {
        server().askConsumed();
        assertEquals(12.5, consumed.get(10, TimeUnit.SECONDS));
    }

    /** What it forked before counts as killed: nobody is left to tell how it ended. */
    @Test
    void whatItLeavesCountsAsKilled() throws Exception {
        ForkServer server = server();
        Process fork = server.fork("forgotten");
        assertThrows(IOException.class, () -> server.fork("end"));
        assertEquals(137, fork.waitFor());
    }
}

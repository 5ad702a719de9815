package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;

/**
 * A record processor in a process that another one forked: its streams are a socket, its end is told
 * by its parent. Others may be in the same process.
 */
final class ForkedProcess extends Process {
    private final long pid;
    private final InputStream input;
    private final OutputStream output;
    private final CompletableFuture<Integer> exit;

    ForkedProcess(long pid, SocketChannel socket, CompletableFuture<Integer> exit) {
        this.pid = pid;
        this.input = SocketStreams.input(socket);
        this.output = SocketStreams.output(socket);
        this.exit = exit;
    }

    @Override
    public OutputStream getOutputStream() {
        return output;
    }

    @Override
    public InputStream getInputStream() {
        return input;
    }

    /** Empty: all of them write to the stderr of their parent. */
    @Override
    public InputStream getErrorStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public int waitFor() throws InterruptedException {
        try {
            return exit.get();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public int exitValue() {
        if (!exit.isDone()) {
            throw new IllegalThreadStateException("process " + pid + " has not ended");
        }
        return exit.join();
    }

    @Override
    public long pid() {
        return pid;
    }

    /** It ends with its input; its process is not ours alone. */
    @Override
    public void destroy() {
        try {
            input.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

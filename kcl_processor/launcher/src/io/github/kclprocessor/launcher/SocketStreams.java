package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * The two directions of a socket as the streams of a process.
 *
 * <p>{@code Channels.newInputStream} and its twin hold one lock while they block (until Java 19), so
 * that a write would wait for an answer to itself.
 */
final class SocketStreams {
    private SocketStreams() {}

    /** What comes in; to close it closes the socket. */
    static InputStream input(SocketChannel socket) {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return length == 0 ? 0 : socket.read(ByteBuffer.wrap(bytes, offset, length));
            }

            @Override
            public void close() throws IOException {
                socket.close();
            }
        };
    }

    /** What goes out; to close it tells the other side that there is no more, and it may still answer. */
    static OutputStream output(SocketChannel socket) {
        return new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                ByteBuffer left = ByteBuffer.wrap(bytes, offset, length);
                while (left.hasRemaining()) {
                    socket.write(left);
                }
            }

            @Override
            public void close() throws IOException {
                if (socket.isOpen()) {
                    socket.shutdownOutput();
                }
            }
        };
    }
}

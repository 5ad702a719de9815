package io.github.kclprocessor.launcher;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** A program that answers like the fork server, forks nothing and says of a fork what it is told to. */
final class FakeForkServer {
    private FakeForkServer() {}

    /**
     * Of a shard called {@code CODE} the fork ends with that code when its input ends; one called
     * {@code end} ends the server, and of one called {@code forgotten} no end is told.
     */
    public static void main(String[] args) throws Exception {
        Thread untilStdinEnds = new Thread(FakeForkServer::awaitEnd);
        untilStdinEnds.setDaemon(true);
        untilStdinEnds.start();
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(Path.of(args[args.length - 1])));
            System.out.println("ready");
            for (int number = 1;; number++) {
                try (SocketChannel fork = listener.accept()) {
                    BufferedReader lines =
                            new BufferedReader(new InputStreamReader(Channels.newInputStream(fork)));
                    String shard = lines.readLine();
                    if (shard.equals("end")) {
                        System.exit(5);
                    }
                    System.err.println("INFO " + shard + " begins");
                    SocketStreams.output(fork).write((number + " 1000001\n").getBytes());
                    if (shard.equals("forgotten")) {
                        continue;
                    }
                    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                        SocketStreams.output(fork).write((line + "!\n").getBytes());
                    }
                    System.out.println(number + " " + shard);
                }
            }
        }
    }

    private static void awaitEnd() {
        try {
            for (int read = System.in.read(); read >= 0; read = System.in.read()) {
                // A line, and there is one question.
                if (read == '\n') {
                    System.out.println("consumed 12.5");
                }
            }
        } catch (java.io.IOException e) {
            // As good as its end.
        }
        System.exit(0);
    }
}

package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A shell command that says by its exit code whether to slow down: 0 is yes and 1 is no, as {@code test -e FILE} has
 * it; another is a look that failed.
 *
 * <p>It is run by {@code kcl-processor-look} ({@code replicate/look.py}), which kills its process group after it, and
 * when this side lets go of its input: by the end of this JVM, too, which waits for none of it.
 */
final class ThrottleCommand implements Throttle.Look {
    /** That program ends the command by itself; what it takes to start is not the command's. */
    private static final Duration PATIENCE = Throttle.LONGEST.plusSeconds(3);

    private final List<String> words;
    private final Duration patience;

    ThrottleCommand(String command) {
        this(List.of("kcl-processor-look", command), PATIENCE);
    }

    /** @param words what is started for a look */
    ThrottleCommand(List<String> words, Duration patience) {
        this.words = words;
        this.patience = patience;
    }

    @Override
    public boolean holds() throws IOException, InterruptedException {
        Process look = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            if (!look.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("it does not end");
            }
            String code = new String(look.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).trim();
            switch (code) {
                case "0":
                    return true;
                case "1":
                    return false;
                case "late":
                    throw new IOException("it took longer than " + Throttle.LONGEST.toSeconds() + " s");
                case "":
                    throw new IOException(words.get(0) + " ended with exit code " + look.exitValue());
                default:
                    throw new IOException("it ended with exit code " + code);
            }
        } finally {
            look.getOutputStream().close();
        }
    }

    /** Without its words, which may hold a password. */
    @Override
    public String toString() {
        return "the command of throttle_when";
    }
}

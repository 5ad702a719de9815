package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.SocketException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.core.exception.SdkClientException;

class ReadTroubleTest {
    private static final RuntimeException THROTTLED = FakeStream.refusal("LimitExceededException");
    private static final RuntimeException FAILED = FakeStream.refusal("InternalServerError");
    private static final RuntimeException RESET =
            SdkClientException.create("no answer", new SocketException("Connection reset"));

    @RegisterExtension
    final Heard heard = new Heard();

    private long nanos;
    private final ReadTrouble trouble = new ReadTrouble(() -> nanos);

    private List<String> said() {
        return heard.words();
    }

    private void turn(long seconds) {
        nanos += TimeUnit.SECONDS.toNanos(seconds);
    }

    /** However often the kinds take turns, with successes in between: few lines, with counts by kind. */
    @Test
    void mixedFaults() {
        for (int second = 0; second < 120; second++) {
            trouble.met(THROTTLED);
            trouble.passed();
            trouble.met(FAILED);
            trouble.met(RESET);
            trouble.met(THROTTLED);
            turn(1);
        }
        assertEquals(4, said().size(), said().toString());
        assertTrue(said().get(0).startsWith("The source's stream does not answer every call: LimitExceededException"));
        assertTrue(said().get(3).contains(
                "for 70 s: 141 LimitExceededException, 70 InternalServerError, 70 SocketException"), said().get(3));
    }

    /** The end is told once, after calm of half a reminder. */
    @Test
    void theEnd() {
        trouble.met(FAILED);
        turn(4);
        trouble.met(FAILED);
        turn(4);
        trouble.passed();
        assertEquals(1, said().size());
        turn(1);
        trouble.passed();
        trouble.passed();
        assertEquals("The source's stream answers again; the trouble lasted 4 s: 2 InternalServerError", said().get(1));
        assertEquals(2, said().size());
    }

    /** A trouble that comes back every few seconds is one trouble. */
    @Test
    void comingAndGoing() {
        for (int second = 0; second < 3600; second++) {
            if (second % 6 == 0) {
                trouble.met(THROTTLED);
            } else {
                trouble.passed();
            }
            turn(1);
        }
        assertTrue(said().size() <= 20, said().toString());
    }

    /** After a long calm the next trouble is a new one. */
    @Test
    void aNewOne() {
        trouble.met(FAILED);
        turn(400);
        trouble.passed();
        trouble.met(THROTTLED);
        turn(5);
        trouble.passed();
        assertEquals(4, said().size());
        assertTrue(said().get(3).endsWith("1 LimitExceededException"), said().get(3));
    }
}

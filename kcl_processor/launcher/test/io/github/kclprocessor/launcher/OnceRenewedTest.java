package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class OnceRenewedTest {
    private long now;
    private int taken;

    private void take(OnceRenewed.Step step) throws Exception {
        OnceRenewed.take(step, millis -> now += Duration.ofMillis(millis).toNanos(), () -> now);
    }

    private static RuntimeException refusal(String code) {
        return new IllegalStateException(FakeStream.refusal(code));
    }

    /** Credentials that are renewed meanwhile are no reason to end. */
    @Test
    void waits() throws Exception {
        take(() -> {
            if (++taken < 10) {
                throw refusal("ExpiredTokenException");
            }
        });
        assertEquals(10, taken);
    }

    /** After the time that a renewal may take, a person is needed. */
    @Test
    void givesUp() {
        assertThrows(IllegalStateException.class, () -> take(() -> {
            taken++;
            throw refusal("UnrecognizedClientException");
        }));
        assertEquals(61, taken);
        assertEquals(ErrorCodes.RENEWAL.toNanos(), now);
    }

    /** Of anything else nothing is waited for: it ends the start at once. */
    @Test
    void otherFailuresAreNotWaitedFor() {
        assertThrows(IllegalStateException.class, () -> take(() -> {
            taken++;
            throw refusal("AccessDeniedException");
        }));
        assertEquals(1, taken);
    }
}

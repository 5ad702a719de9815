package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RoundsTest {
    /** A watch goes on looking after a round that failed, even in an Error. */
    @Test
    void failedRound() throws Exception {
        CountDownLatch looks = new CountDownLatch(3);
        Rounds.every(Duration.ofMillis(1), "test-watch", () -> {
            looks.countDown();
            // Not for ever: each failure is logged, where other tests listen.
            if (looks.getCount() > 0) {
                throw new NoClassDefFoundError("what a round needs");
            }
        });
        assertTrue(looks.await(20, TimeUnit.SECONDS));
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DeliveriesTest {
    private long now = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(30);
    private final Deliveries deliveries = new Deliveries(() -> now);

    /** How many of the empty reads of so many seconds, five a second, are delivered. */
    private int delivered(int seconds) {
        int count = 0;
        for (int read = 0; read < 5 * seconds; read++) {
            now += TimeUnit.MILLISECONDS.toNanos(200);
            count += deliveries.isDue(false) ? 1 : 0;
        }
        return count;
    }

    /** Records are never held back. */
    @Test
    void recordsAreAlwaysDelivered() {
        for (int read = 0; read < 10; read++) {
            assertTrue(deliveries.isDue(true));
        }
    }

    /** The first delivery says that the shard is read. */
    @Test
    void theFirstIsDelivered() {
        assertTrue(deliveries.isDue(false));
        assertFalse(deliveries.isDue(false));
    }

    /** One a second behind the last records, and one in five seconds when they are a minute past. */
    @Test
    void emptyOnesAreFew() {
        deliveries.isDue(true);
        assertEquals(59, delivered(59));
        delivered(2);
        assertEquals(12, delivered(60));
        deliveries.isDue(true);
        assertEquals(10, delivered(10));
    }
}

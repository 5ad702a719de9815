package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ReadPaceTest {
    private final ReadPace pace = new ReadPace();
    private long now = 1_000_000;

    /** Sleeps as told and then reads for some time. */
    private long next(long readMillis, Integer records) {
        long slept = pace.sleepMillis(now, 200, records);
        now += slept + readMillis;
        return slept;
    }

    /** A read that takes long is not paid for twice: the next starts on time, or at once. */
    @Test
    void readsStartAtAnEvenPace() {
        next(50, 1000);
        assertEquals(155, next(150, 1000));
        assertEquals(55, next(400, 1000));
        assertEquals(0, next(10, 1000));
    }

    /** However long reads take, no second has more than five starts. */
    @Test
    void neverSixReadsASecond() {
        long[] starts = new long[60];
        for (int read = 0; read < starts.length; read++) {
            long slept = pace.sleepMillis(now, 200, 1);
            starts[read] = now + slept;
            now += slept + (read % 7) * 90;
            assertTrue(read < 5 || starts[read] - starts[read - 5] > 1000);
        }
    }

    /** A shard without changes is read less and less often, and at the first change as often as ever. */
    @Test
    void quietShardsAreCheaper() {
        next(0, 1);
        for (int read = 0; read < 9; read++) {
            assertEquals(205, next(0, 0));
        }
        assertEquals(405, next(0, 0));
        for (int read = 0; read < 30; read++) {
            next(0, 0);
        }
        assertEquals(805, next(0, 0));
        assertEquals(205, next(0, 1));
    }

    /** After a failed read, a whole pause; the quiet that was there before goes on. */
    @Test
    void failuresWait() {
        next(0, 1);
        assertEquals(205, next(300, null));
        assertEquals(0, next(0, 1));
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ReadPaceTest {
    private final ReadPace pace = new ReadPace();
    private long now = 1_000_000;

    /** Sleeps as told and then reads for some time. */
    private long next(long readMillis, Integer records) {
        long slept = pace.sleepMillis(now, now, 200, records);
        now += slept + readMillis;
        return slept;
    }

    /** A read that takes long is not paid for twice: the next starts on time, or at once. */
    @Test
    void readsStartAtAnEvenPace() {
        next(50, 1000);
        assertEquals(150, next(150, 1000));
        assertEquals(50, next(400, 1000));
        assertEquals(0, next(10, 1000));
    }

    /** Wherever between start and end the service counts a read, no second has six. */
    @Test
    void neverSixReadsASecond() {
        long[] ends = new long[200];
        long[] starts = new long[200];
        for (int read = 0; read < starts.length; read++) {
            long late = read % 11 == 0 ? 120 : 0;
            starts[read] = now + pace.sleepMillis(now, now, 200, 1) + late;
            now = ends[read] = starts[read] + (read % 7) * 30;
            assertTrue(read < 5 || starts[read] - ends[read - 5] >= 1000);
        }
    }

    /** Reads that are quick lose little: five in hardly more than a second. */
    @Test
    void quickReadsKeepThePace() {
        long began = now;
        for (int read = 0; read < 100; read++) {
            next(10, 1000);
        }
        assertTrue(now - began <= 20 * 1_020, "took " + (now - began));
    }

    /** A shard that has been quiet for two minutes is read once a second, until its first change. */
    @Test
    void shardsThatStayQuietAreReadOnceASecond() {
        next(0, 1);
        long began = now;
        while (next(0, 0) < 1_000) {
            assertTrue(now - began < 130_000);
        }
        assertTrue(now - began > 110_000);
        assertEquals(1_000, next(0, 0));
        assertEquals(200, next(0, 1));
        assertEquals(200, next(0, 0));
    }

    /** One that is to be read more rarely than that stays at half its pace. */
    @Test
    void aLongPauseIsDoubledAtMost() {
        for (int read = 0; read < 400; read++) {
            long slept = pace.sleepMillis(now, now, 60_000, 0);
            assertTrue(slept <= 120_000);
            now += slept;
        }
    }

    /** A shard without changes is read half as often, and at the first change as often as ever. */
    @Test
    void quietShardsAreCheaper() {
        next(0, 1);
        for (int read = 0; read < 9; read++) {
            assertEquals(200, next(0, 0));
        }
        assertEquals(400, next(0, 0));
        for (int read = 0; read < 30; read++) {
            assertEquals(400, next(0, 0));
        }
        assertEquals(200, next(0, 1));
    }

    /** After a failed read, a whole pause. */
    @Test
    void failuresWait() {
        next(0, 1);
        assertEquals(200, next(300, null));
        assertEquals(0, next(0, 1));
    }
}

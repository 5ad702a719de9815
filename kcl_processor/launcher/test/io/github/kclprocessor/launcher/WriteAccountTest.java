package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

@Timeout(30)
class WriteAccountTest {
    private long now = -5;
    private final WriteAccount account = new WriteAccount(() -> now);

    private void pass(double seconds) {
        now += (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    }

    private void share(double unitsASecond) {
        account.share(unitsASecond, now + TimeUnit.SECONDS.toNanos(10));
    }

    /** Records of a KB. */
    private static List<KinesisClientRecord> records(int count) {
        return Collections.nCopies(count, of(1024));
    }

    private static KinesisClientRecord of(int bytes) {
        return KinesisClientRecord.builder().data(ByteBuffer.allocate(bytes)).build();
    }

    private int take(String shard, int count) {
        WriteAccount.Slice slice = account.take(shard, records(count));
        if (slice == null) {
            return 0;
        }
        account.written(slice);
        return slice.records;
    }

    /** Without a limit all goes at once. */
    @Test
    void free() {
        assertFalse(account.isLimited());
        assertEquals(1_000, take("a", 1_000));
        share(10);
        assertTrue(account.isLimited());
        take("a", 1_000);
        assertEquals(0, take("a", 1_000));
        account.free();
        assertEquals(1_000, take("a", 1_000));
    }

    /** Over a time no more goes than the rate allows, half a second saved up, and half a second at once. */
    @Test
    void rate() {
        share(100);
        int passed = 0;
        for (int turn = 0; turn < 1_000; turn++) {
            share(100);
            passed += take("a", 1_000);
            pass(0.01);
        }
        assertTrue(passed <= 100 * 10 + 100 && passed >= 100 * 10 - 50, passed + " units in ten seconds");
    }

    /** A record that weighs more than is saved up goes alone, and what follows pays for it. */
    @Test
    void large() {
        share(10);
        WriteAccount.Slice slice = account.take("a", Collections.nCopies(5, of(100 * 1024)));
        assertEquals(1, slice.records);
        account.written(slice);
        for (int second = 0; second < 10; second++) {
            assertEquals(0, take("a", 1), second + " s");
            pass(1);
            share(10);
        }
        assertEquals(1, take("a", 1));
    }

    /** What was consumed takes the place of what it weighed; whoever comes next pays. */
    @Test
    void consumed() {
        account.report(1_000, now);
        share(100);
        WriteAccount.Slice slice = account.take("a", records(50));
        assertEquals(50, slice.records);
        account.report(1_030, now);
        account.written(slice);
        assertEquals(0, take("a", 1), "it is in no report yet");
        pass(0.001);
        // Three writes an item: the table's own, and its indexes'.
        account.report(1_150, now);
        pass(1.4);
        assertEquals(0, take("a", 1));
        pass(0.2);
        assertEquals(1, take("a", 1));
        assertEquals(151 / 1.601, account.takeDemand().unitsASecond, 2);
    }

    /** A share that is not renewed runs out, and what was saved up with it. */
    @Test
    void runsOut() {
        share(10);
        pass(9.9);
        assertEquals(5, take("a", 5));
        pass(100);
        assertEquals(0, take("a", 1));
        share(10);
        pass(1);
        assertEquals(5, take("a", 5));
    }

    /** Lowered, it is in force at once, and ends when it would have; where there was no limit, it is none of it. */
    @Test
    void lower() {
        account.lower(100);
        pass(1);
        assertEquals(0, take("a", 1));
        share(100);
        pass(1);
        account.lower(10);
        account.lower(20);
        assertEquals(5, take("a", 50));
    }

    /** Who has waited longest goes first, unless it is busy with something else. */
    @Test
    void inTurn() {
        share(10);
        assertEquals(5, take("c", 9));
        assertEquals(0, take("a", 9));
        assertEquals(0, take("b", 9));
        pass(0.5);
        assertEquals(0, take("b", 9));
        account.stepAside("a");
        assertEquals(2, take("b", 9), "two wait: each gets half");
        pass(0.5);
        account.await("a", 1);
        assertEquals(0, take("b", 9));
        assertEquals(2, take("a", 9));
        account.leave("b");
        pass(0.5);
        assertEquals(5, take("a", 9));
        assertEquals(2, account.takeDemand().waiting);
        assertEquals(0, account.takeDemand().waiting);
    }

    /** A shard whose turn comes is woken for it. */
    @Test
    void woken() throws InterruptedException {
        share(0);
        assertNull(account.take("a", records(1)));
        Thread other = new Thread(() -> {
            assertNull(account.take("b", records(1)));
            account.await("b", TimeUnit.SECONDS.toMillis(20));
        });
        other.start();
        account.stepAside("a");
        while (other.getState() != Thread.State.TIMED_WAITING && other.isAlive()) {
            Thread.sleep(1);
        }
        account.leave("a");
        other.join(10_000);
        assertFalse(other.isAlive());
    }

    /** What was let out before a limit ended is no debt of the next one. */
    @Test
    void anew() {
        account.report(0, now);
        share(10);
        WriteAccount.Slice slice = account.take("a", records(5));
        account.free();
        share(10);
        account.written(slice);
        pass(1);
        assertNotNull(account.take("a", records(1)));
    }
}

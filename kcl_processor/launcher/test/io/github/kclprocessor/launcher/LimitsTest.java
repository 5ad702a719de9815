package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

class LimitsTest {
    private static final List<KinesisClientRecord> RECORDS = Collections.nCopies(
            2_000, KinesisClientRecord.builder().data(ByteBuffer.allocate(1024)).build());

    @RegisterExtension
    final Heard heard = new Heard();

    private final FakeStateTable table = new FakeStateTable();
    private final Random random = new Random(15);
    private long now = 42;

    private final class Worker {
        final WriteAccount account = new WriteAccount(() -> now);
        final Limits limits;
        /** How many of its shards have something to write. */
        int busy;
        double written;

        Worker(String name, int busy) {
            this.busy = busy;
            limits = new Limits(name, account, () -> now);
            limits.begin(table.own());
        }

        /** Each busy shard writes what it may. */
        double write() {
            double before = written;
            for (int shard = 0; shard < busy; shard++) {
                WriteAccount.Slice slice = account.take("shard-" + shard, RECORDS);
                if (slice != null) {
                    account.written(slice);
                    written += slice.records;
                } else {
                    account.stepAside("shard-" + shard);
                }
            }
            return written - before;
        }
    }

    private void pass(double seconds) {
        now += (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    }

    private void limit(double units) {
        Map<String, AttributeValue> row = new HashMap<>(table.rows.getOrDefault(Limits.KEY, Map.of()));
        row.put("limit", AttributeValue.fromM(Map.of("wcu", AttributeValue.fromN(Double.toString(units)),
                "by", AttributeValue.fromS("root@host"), "at", AttributeValue.fromN("1764370800.5"))));
        row.put("version", AttributeValue.fromS("cli" + random.nextInt()));
        table.has(Limits.KEY, row);
    }

    /** Seconds in which each worker looks once, and all write at every tenth. */
    private void turns(int rounds, Worker... workers) {
        for (int round = 0; round < rounds; round++) {
            for (int tenth = 0; tenth < 20; tenth++) {
                if (tenth < workers.length) {
                    workers[tenth].limits.run();
                }
                for (Worker worker : workers) {
                    worker.write();
                }
                pass(0.1);
            }
        }
    }

    private static void assertNear(double expected, double found) {
        assertEquals(expected, found, expected * 0.15 + 2);
    }

    /** Without a limit nothing is held back, and nothing is written to the table. */
    @Test
    void none() {
        Worker worker = new Worker("a", 1);
        worker.limits.run();
        assertFalse(worker.account.isLimited());
        assertEquals(Map.of(), table.rows);
    }

    /** A start whose credentials were refused behind the first look is taken again, and held back by nothing it left. */
    @Test
    void beginsAnew() {
        Worker worker = new Worker("a", 1);
        worker.limits.leave();
        worker.limits.begin(table.own());
        assertFalse(worker.account.isLimited());
        worker.limits.leave();
        limit(100);
        worker.limits.begin(table.own());
        turns(2, worker);
        assertTrue(worker.write() > 0);
    }

    /** It is in force at the next look, over all workers by what they need, and ends as it began. */
    @Test
    void fleet() {
        Worker busy = new Worker("a", 3);
        Worker alsoBusy = new Worker("b", 1);
        Worker idle = new Worker("c", 0);
        limit(100);
        turns(5, busy, alsoBusy, idle);
        busy.written = alsoBusy.written = 0;
        turns(5, busy, alsoBusy, idle);
        assertNear(967, busy.written + alsoBusy.written);
        assertNear(3, busy.written / alsoBusy.written);
        busy.busy = alsoBusy.busy = 0;
        idle.busy = 1;
        turns(3, busy, alsoBusy, idle);
        idle.written = 0;
        turns(5, busy, alsoBusy, idle);
        assertNear(933, idle.written);
        table.rows.clear();
        turns(1, busy, alsoBusy, idle);
        assertFalse(busy.account.isLimited() || alsoBusy.account.isLimited() || idle.account.isLimited());
    }

    /** Another limit is in force at each worker's next look, whatever the shares are. */
    @Test
    void changed() {
        Worker one = new Worker("a", 1);
        Worker other = new Worker("b", 1);
        limit(1_000);
        turns(5, one, other);
        limit(10);
        one.limits.run();
        other.limits.run();
        one.written = other.written = 0;
        turns(10, one, other);
        assertTrue(one.written + other.written <= 10 * 20 + 10, one.written + " and " + other.written);
        assertTrue(one.written + other.written >= 10 * 20 * 0.9, one.written + " and " + other.written);
    }

    /** What a worker has that died is the others' after a while, and what one gives that stops is at once. */
    @Test
    void gone() {
        Worker one = new Worker("a", 1);
        Worker other = new Worker("b", 1);
        limit(100);
        turns(5, one, other);
        other.written = 0;
        turns(8, other);
        assertNear(16 * 50 + 1, other.written);
        other.written = 0;
        turns(5, other);
        assertNear(1_000, other.written);
        Worker back = new Worker("a", 1);
        turns(5, back, other);
        back.limits.leave();
        back.limits.run();
        turns(1, other);
        other.written = 0;
        turns(5, other);
        assertNear(1_000, other.written);
    }

    /** One that cannot renew its share uses it for ten seconds, and writes nothing from then on. */
    @Test
    void unread() {
        Worker worker = new Worker("a", 1);
        limit(100);
        turns(5, worker);
        table.unread = new IllegalStateException("throttled");
        heard.lines.clear();
        turns(10, worker);
        double before = worker.written;
        turns(5, worker);
        assertEquals(before, worker.written);
        table.unread = null;
        turns(5, worker);
        assertNear(1_000, worker.written - before);
        List<String> words = heard.lines.stream().filter(line -> line.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage).collect(Collectors.toList());
        assertEquals(2, words.size(), words.toString());
        assertTrue(words.get(0).contains("cannot be renewed (java.lang.IllegalStateException: throttled): nothing is"));
        assertTrue(words.get(1).contains("has a share in the limit again"));
    }

    /** A write whose answer was lost, or that met another's, is settled at the next look. */
    @Test
    void races() {
        Worker one = new Worker("a", 1);
        Worker other = new Worker("b", 1);
        limit(100);
        turns(3, one, other);
        table.between = other.limits;
        one.limits.run();
        table.lostAnswer = FakeStream.refusal("ServiceUnavailable");
        one.limits.run();
        turns(3, one, other);
        one.written = other.written = 0;
        turns(5, one, other);
        assertNear(1_000, one.written + other.written);
    }

    /** What is no limit keeps a worker from its start, which says so; one that runs goes on as it was told. */
    @Test
    void byHand() {
        Worker worker = new Worker("a", 1);
        for (AttributeValue strange : List.of(AttributeValue.fromS("fifty"), AttributeValue.fromM(Map.of()),
                AttributeValue.fromM(Map.of("wcu", AttributeValue.fromN("0"))))) {
            table.has(Limits.KEY, Map.of("limit", strange));
            assertEquals(ExitStatus.CONFIG, assertThrows(Refused.class, () -> new Worker("b", 1)).exitCode);
            worker.limits.run();
            assertFalse(worker.account.isLimited());
        }
        table.has(Limits.KEY, Map.of("limit", AttributeValue.fromM(Map.of("wcu", AttributeValue.fromN("50")))));
        turns(3, worker);
        assertTrue(worker.account.isLimited());
    }

    /**
     * Whatever workers need, when they come, die, are cut off from the table, lose answers and meet each other's
     * writes: over no time more goes than the limit, a second's worth that was saved up or went at once, and a
     * record each.
     */
    @Test
    void neverMoreThanTheLimit() {
        for (int run = 0; run < 12; run++) {
            table.rows.clear();
            double units = 5 + random.nextInt(500);
            limit(units);
            everythingHappens(units);
        }
    }

    private void everythingHappens(double units) {
        List<Worker> workers = new ArrayList<>();
        int made = 0;
        double above = 0;
        for (int tenth = 0; tenth < 1_500; tenth++) {
            if (workers.isEmpty() || workers.size() < 6 && random.nextInt(60) == 0) {
                workers.add(new Worker("w" + made++ % 8 + "x" + made, random.nextInt(5)));
            }
            if (workers.size() > 1 && random.nextInt(120) == 0) {
                Worker gone = workers.remove(random.nextInt(workers.size()));
                if (random.nextBoolean()) {
                    gone.limits.leave();
                }
            }
            for (Worker worker : workers) {
                if (random.nextInt(20) == 0) {
                    look(worker, workers.get(random.nextInt(workers.size())));
                }
                if (random.nextInt(50) == 0) {
                    worker.busy = random.nextInt(5);
                }
                above += worker.write();
            }
            assertTrue(above <= units + workers.size() + 1, above + " above " + units + " a second");
            pass(0.1);
            above = Math.max(0, above - units * 0.1);
        }
    }

    private void look(Worker worker, Worker other) {
        switch (random.nextInt(5)) {
            case 0:
                table.unread = new IllegalStateException("throttled");
                break;
            case 1:
                table.lostAnswer = FakeStream.refusal("ServiceUnavailable");
                break;
            case 2:
                table.between = worker == other ? null : other.limits;
                break;
            default:
        }
        worker.limits.run();
        table.unread = null;
        table.lostAnswer = null;
        table.between = null;
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class PresenceTest {
    private static final Duration FAILOVER = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private final FakeStateTable table = new FakeStateTable();
    private final List<Lease> held = new ArrayList<>();
    private Map<String, AttributeValue> throttled = Map.of();
    private long waited;

    private Place host(String name) throws IOException {
        Path lock = folder.resolve(name);
        return Place.of(Files.exists(lock) ? lock : Files.createFile(lock));
    }

    private Presence daemon(String host) throws IOException {
        return new Presence(table.own(), "worker-1", host(host), FAILOVER, () -> held, () -> throttled);
    }

    private Presence entered(String host) throws Exception {
        Presence daemon = daemon(host);
        daemon.enter(this::pass);
        return daemon;
    }

    private void pass(long millis) {
        waited += millis;
    }

    private Map<String, AttributeValue> row() {
        return table.rows.get(Presence.KEY + "worker-1");
    }

    /** The first start finds nothing and waits for nothing; a clean stop leaves nothing. */
    @Test
    void alone() throws Exception {
        Presence daemon = entered("a");
        daemon.beat();
        daemon.leave();
        assertEquals(null, row());
        entered("b");
        assertEquals(0, waited);
    }

    /** What throttles the worker is in its row while it does. */
    @Test
    void throttled() throws Exception {
        throttled = Map.of("by", AttributeValue.fromS("the alarm"));
        Presence daemon = entered("a");
        assertEquals(throttled, row().get("throttled").m());
        throttled = Map.of();
        daemon.beat();
        assertFalse(row().containsKey("throttled"));
    }

    /** After a crash a start in the same place does not wait, for it holds the lock; elsewhere it watches. */
    @Test
    void afterACrash() throws Exception {
        entered("a");
        entered("a");
        assertEquals(0, waited);
        entered("b").beat();
        assertEquals(FAILOVER.toMillis(), waited);
    }

    /** A second start elsewhere sees the first one's heart beat, and is refused by name. */
    @Test
    void secondStart() throws Exception {
        Presence first = entered("a");
        Refused refused = assertThrows(Refused.class, () -> daemon("b").enter(millis -> {
            pass(millis);
            if (waited >= FAILOVER.toMillis() / 4) {
                first.beat();
            }
        }));
        assertEquals(ExitStatus.CONFIG, refused.exitCode);
        assertTrue(refused.getMessage().startsWith("Another daemon of worker worker-1 lives on "), refused.getMessage());
        assertTrue(waited <= FAILOVER.toMillis() / 4);
        first.beat();
    }

    /** A first daemon that stops while it is watched makes room at once. */
    @Test
    void firstOneLeaves() throws Exception {
        Presence first = entered("a");
        daemon("b").enter(millis -> {
            pass(millis);
            first.leave();
        });
        assertEquals(250, waited);
    }

    /** A first daemon that slept takes its row back, and the one that came meanwhile ends. */
    @Test
    void laterOneEnds() throws Exception {
        Presence first = entered("a");
        Presence later = entered("b");
        later.beat();
        first.beat();
        assertThrows(Refused.class, later::beat);
        first.beat();
    }

    /** Of two that are one, as a machine copied while it ran, one ends. */
    @Test
    void copiedWhileItRan() throws Exception {
        Presence one = entered("a");
        Map<String, AttributeValue> copied = row();
        one.beat();
        Map<String, AttributeValue> of = row();
        table.rows.put(Presence.KEY + "worker-1", copied);
        assertThrows(Refused.class, one::beat);
        table.rows.put(Presence.KEY + "worker-1", of);
        one.beat();
    }

    /** An answer that was lost is no twin: the row is what was to be written. */
    @Test
    void lostAnswer() throws Exception {
        Presence daemon = entered("a");
        Map<String, AttributeValue> before = row();
        table.lostAnswer = FakeStream.refusal("ServiceUnavailable");
        assertThrows(RuntimeException.class, daemon::beat);
        assertTrue(!before.equals(row()));
        daemon.beat();
        daemon.beat();
    }

    /** A row that somebody removed is written again. */
    @Test
    void removedRow() throws Exception {
        Presence daemon = entered("a");
        table.rows.clear();
        daemon.beat();
        daemon.beat();
        assertEquals("1", row().get("generation").n());
    }

    /** The heart beats by itself, and the end is told once. */
    @Test
    void heart() throws Exception {
        Presence first = entered("a");
        Presence later = new Presence(table.own(), "worker-1", host("b"), Duration.ofMillis(40), List::of, Map::of);
        later.enter(this::pass);
        first.beat();
        CompletableFuture<Refused> end = new CompletableFuture<>();
        later.start(end::complete);
        assertEquals(ExitStatus.CONFIG, end.get(20, TimeUnit.SECONDS).exitCode);
    }

    /** The row tells how many leases are held, and how long the one waits that waits longest. */
    @Test
    void renewals() throws Exception {
        Presence daemon = entered("a");
        assertEquals("0", row().get("heldLeases").n());
        assertEquals("0", row().get("unrenewedMillis").n());
        held.add(lease("5", 1));
        held.add(lease("6", 3));
        held.add(lease("SHARD_END", 100));
        long before = System.currentTimeMillis();
        daemon.beat();
        assertEquals("2", row().get("heldLeases").n());
        long unrenewed = Long.parseLong(row().get("unrenewedMillis").n());
        assertTrue(unrenewed >= 3_000 && unrenewed < 100_000, unrenewed + " ms");
        long beat = Long.parseLong(row().get("beatAt").n());
        assertTrue(beat >= before && beat <= System.currentTimeMillis());
    }

    private static Lease lease(String checkpoint, int secondsAgo) {
        Lease lease = new Lease();
        lease.checkpoint(new ExtendedSequenceNumber(checkpoint));
        lease.lastCounterIncrementNanos(System.nanoTime() - TimeUnit.SECONDS.toNanos(secondsAgo));
        return lease;
    }

    /** A daemon without a lock is nowhere known. */
    @Test
    void unknownPlace() throws Exception {
        assertTrue(!Place.unknown().isOf(Place.unknown().toString()));
    }
}

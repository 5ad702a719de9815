package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class ShardProcessorTest {
    @RegisterExtension
    final Heard heard = new Heard();

    private final List<String> told = new ArrayList<>();
    private final Set<ShardProcessor> open = ConcurrentHashMap.newKeySet();
    private Lease held = new Lease();
    private boolean ending;
    private final SignsOfLife signs = new SignsOfLife();
    private final FakeStateTable state = new FakeStateTable();
    private final Pauses pauses = new Pauses();
    private final UntoldGaps untold = new UntoldGaps();
    private boolean throttled;
    private final Throttle throttle = new Throttle(Optional.of(() -> throttled), System::nanoTime);
    private final WriteAccount account = new WriteAccount(System::nanoTime);
    private final ShardProcessor processor = processor(
            Fake.of(ShardRecordProcessor.class, (method, arguments) -> told.add(method)));

    @BeforeEach
    void hold() {
        held.concurrencyToken(UUID.randomUUID());
    }

    private ShardProcessor processor(ShardRecordProcessor child) {
        return processor(child, Fake.of(LeaseCoordinator.class, (method, arguments) -> held));
    }

    private ShardProcessor processor(ShardRecordProcessor child, LeaseCoordinator leases) {
        return new ShardProcessor(child, () -> leases, open, new Handover(
                () -> null, () -> false, worker -> {}, "me", () -> false),
                new StartGate(1, () -> ending, Duration.ofMinutes(1)), signs,
                new Outlet(pauses, throttle, account, () -> ending), untold, () -> false);
    }

    private void initialize() {
        initialize(processor);
    }

    private static void initialize(ShardProcessor processor) {
        processor.initialize(InitializationInput.builder()
                .shardId("shardId-1").extendedSequenceNumber(ExtendedSequenceNumber.TRIM_HORIZON).build());
    }

    private static ProcessRecordsInput records() {
        return ProcessRecordsInput.builder().records(List.of()).build();
    }

    /** That of a shard, which nobody is to record. */
    private static ShardEndedInput end() {
        return ShardEndedInput.builder()
                .checkpointer(Fake.of(RecordProcessorCheckpointer.class, (method, arguments) -> null)).build();
    }

    /** A processor is open from its start to the loss of its lease. */
    @Test
    void openWhileAtWork() {
        initialize();
        assertEquals(Set.of(processor), open);
        processor.processRecords(records());
        processor.leaseLost(LeaseLostInput.builder().build());
        assertEquals(Set.of(), open);
        assertEquals(List.of("initialize", "processRecords", "leaseLost"), told);
    }

    /** A start and a delivery are heard; what is passed to nobody is not. */
    @Test
    void signsOfLife() {
        held = null;
        initialize();
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        processor.processRecords(records());
        assertEquals(Set.of(), signs.takeAlive());
        held = new Lease();
        hold();
        initialize();
        signs.takeAlive();
        assertEquals(Set.of(), signs.takeDelivered());
        processor.processRecords(records());
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        assertEquals(Set.of("shardId-1"), signs.takeDelivered());
    }

    private void pause(String shard) {
        state.has(Pauses.KEY, Map.of(shard, AttributeValue.fromM(Map.of(
                "at", AttributeValue.fromN("1764370800.5"), "by", AttributeValue.fromS("root@host")))));
        pauses.begin(state.own());
    }

    private static ProcessRecordsInput change() {
        return ProcessRecordsInput.builder().millisBehindLatest(0L).records(List.of(KinesisClientRecord.builder()
                .sequenceNumber("5").approximateArrivalTimestamp(Instant.now().minusSeconds(60)).build())).build();
    }

    /** Another thread delivers, for it waits; what it delivers to the child is kept. */
    private Thread delivering(List<Integer> sizes, List<Long> behind) {
        ShardProcessor paused = processor(Fake.of(ShardRecordProcessor.class, (method, arguments) -> {
            if (method.equals("processRecords")) {
                behind.add(((ProcessRecordsInput) arguments[0]).millisBehindLatest());
                sizes.add(((ProcessRecordsInput) arguments[0]).records().size());
            }
            return null;
        }));
        initialize(paused);
        Thread thread = new Thread(() -> {
            paused.processRecords(change());
            paused.processRecords(change());
        });
        thread.start();
        return thread;
    }

    private static void until(BooleanSupplier holds) throws InterruptedException {
        for (int turns = 0; !holds.getAsBoolean() && turns < 1_000; turns++) {
            Thread.sleep(10);
        }
        assertTrue(holds.getAsBoolean());
    }

    /** While it is paused, a record processor gets empty deliveries, which tell how old the records are. */
    @Test
    void paused() throws InterruptedException {
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        List<Long> behind = new CopyOnWriteArrayList<>();
        pause(Pauses.ALL);
        Thread thread = delivering(sizes, behind);
        until(() -> sizes.size() > 1);
        assertEquals(Set.of(0), Set.copyOf(sizes));
        assertTrue(behind.get(0) >= 60_000);
        signs.takeAlive();
        until(() -> signs.hasNews("shardId-1"));
        state.rows.clear();
        pauses.run();
        thread.join(10_000);
        assertEquals(List.of(1, 1), sizes.subList(sizes.size() - 2, sizes.size()));
    }

    /** A gap behind records that wait is told once they are written, whoever found it; and the last at the shard's end. */
    @Test
    void gapBehindWhatWaits() throws InterruptedException {
        List<String> gaps = new CopyOnWriteArrayList<>();
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        pause(Pauses.ALL);
        Thread thread = delivering(sizes, new CopyOnWriteArrayList<>());
        until(() -> sizes.size() > 1);
        untold.found("shardId-1", "5", () -> gaps.add("behind 5"));
        assertEquals(List.of(), gaps);
        state.rows.clear();
        pauses.run();
        thread.join(10_000);
        assertEquals(List.of("behind 5"), gaps);
        untold.found("shardId-1", "6", () -> gaps.add("behind 6"));
        ShardProcessor delivered = open.iterator().next();
        delivered.processRecords(records());
        assertEquals(List.of("behind 5"), gaps);
        delivered.shardEnded(end());
        assertEquals(List.of("behind 5", "behind 6"), gaps);
    }

    /** A gap that cannot be told is not passed: nothing behind it is delivered. */
    @Test
    void gapThatCannotBeTold() {
        initialize();
        untold.found("shardId-1", "5", () -> {
            throw new IllegalStateException("it cannot be noted");
        });
        untold.take("shardId-2", new ExtendedSequenceNumber("9"));
        assertThrows(IllegalStateException.class, () -> processor.processRecords(change()));
        processor.processRecords(change());
        assertEquals(List.of("initialize", "processRecords"), told);
    }

    /** A shard that is let go leaves its gaps to the next owner, who finds them. */
    @Test
    void gapOfAShardThatIsLetGo() {
        List<String> gaps = new ArrayList<>();
        initialize();
        untold.found("shardId-1", "5", () -> gaps.add("behind 5"));
        processor.leaseLost(LeaseLostInput.builder().build());
        untold.take("shardId-1", new ExtendedSequenceNumber("5"));
        assertEquals(List.of(), gaps);
    }

    /** A shard that this worker takes up again keeps its gaps, though it is closed only then for the lease before. */
    @Test
    void gapOfAShardThatIsTakenUpAgain() {
        List<String> gaps = new ArrayList<>();
        initialize();
        ShardProcessor again = processor(Fake.of(ShardRecordProcessor.class, (method, arguments) -> null));
        initialize(again);
        untold.found("shardId-1", "5", () -> gaps.add("behind 5"));
        processor.leaseLost(LeaseLostInput.builder().build());
        untold.found("shardId-1", "6", () -> gaps.add("behind 6"));
        assertEquals(List.of(), gaps);
        again.processRecords(change());
        assertEquals(List.of("behind 5"), gaps);
        again.shardEnded(end());
        assertEquals(List.of("behind 5", "behind 6"), gaps);
    }

    /** A page that is read again, as a subscription begins anew, finds the same gap before the one that waits. */
    @Test
    void gapsOutOfTurn() {
        List<String> gaps = new ArrayList<>();
        initialize();
        untold.found("shardId-1", "9", () -> gaps.add("behind 9"));
        untold.found("shardId-1", "5", () -> gaps.add("behind 5"));
        processor.processRecords(change());
        assertEquals(List.of("behind 5"), gaps);
    }

    /** What throttles a worker is as a pause of all its shards, and goes by itself. */
    @Test
    void throttled() throws InterruptedException {
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        throttled = true;
        throttle.run();
        Thread thread = delivering(sizes, new CopyOnWriteArrayList<>());
        until(() -> sizes.size() > 1);
        assertEquals(Set.of(0), Set.copyOf(sizes));
        throttled = false;
        throttle.run();
        thread.join(10_000);
        assertEquals(List.of(1, 1), sizes.subList(sizes.size() - 2, sizes.size()));
    }

    /** A pause is of one shard, or of all. */
    @Test
    void pausedAlone() throws InterruptedException {
        pause("shardId-2");
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        delivering(sizes, new CopyOnWriteArrayList<>()).join(10_000);
        assertEquals(List.of(1, 1), sizes);
        assertTrue(pauses.holds("shardId-2"));
    }

    /** At an end, at a loss, or when another worker asks for it, what waits is left to the next owner, and all behind it. */
    @Test
    void leftOff() throws InterruptedException {
        for (Runnable end : List.<Runnable>of(() -> ending = true, () -> held.checkpointOwner("me"), () -> held = null)) {
            List<Integer> sizes = new CopyOnWriteArrayList<>();
            ending = false;
            held = new Lease();
            hold();
            pause("shardId-1");
            Thread thread = delivering(sizes, new CopyOnWriteArrayList<>());
            until(() -> !sizes.isEmpty());
            end.run();
            thread.join(10_000);
            state.rows.clear();
            pauses.run();
            assertEquals(Set.of(0), Set.copyOf(sizes));
        }
    }

    /**
     * The last records of a shard come with its end, which the KCL takes for read whatever becomes of them: where
     * they were left off, the end is not recorded, and the shard is let go for its next owner to read them.
     */
    @Test
    void leftOffAtTheEndOfTheShard() throws InterruptedException {
        pause(Pauses.ALL);
        List<String> dropped = new CopyOnWriteArrayList<>();
        ShardProcessor paused = processor(
                Fake.of(ShardRecordProcessor.class, (method, arguments) -> told.add(method)),
                Fake.of(LeaseCoordinator.class, (method, arguments) ->
                        method.equals("dropLease") ? dropped.add(method) : held));
        initialize(paused);
        ending = true;
        paused.processRecords(change());
        assertThrows(IllegalStateException.class, () -> paused.shardEnded(end()));
        assertEquals(List.of("initialize"), told);
        assertEquals(List.of("dropLease"), dropped);
        paused.leaseLost(LeaseLostInput.builder().build());
        assertEquals(Set.of(), open);
    }

    /** A shard that is paused has no end: its children, which no pause names, would go on. */
    @Test
    void pausedAtItsEnd() throws InterruptedException {
        List<String> ended = new CopyOnWriteArrayList<>();
        ShardProcessor atItsEnd = processor(
                Fake.of(ShardRecordProcessor.class, (method, arguments) -> ended.add(method)));
        initialize(atItsEnd);
        pause("shardId-1");
        Thread thread = new Thread(() -> atItsEnd.shardEnded(end()));
        signs.takeAlive();
        thread.start();
        until(() -> signs.hasNews("shardId-1"));
        assertEquals(List.of("initialize"), ended);
        state.rows.clear();
        pauses.run();
        thread.join(10_000);
        assertEquals(List.of("initialize", "shardEnded"), ended);
    }

    /** A look that fails lets nothing out. */
    @Test
    void unknown() {
        pause(Pauses.ALL);
        state.rows.clear();
        state.unread = new IllegalStateException("throttled");
        pauses.run();
        assertTrue(pauses.holds("shardId-1"));
    }

    /** A pause that somebody wrote by hand is one, whatever it says of itself: it keeps no worker from its start. */
    @Test
    void byHand() {
        state.has(Pauses.KEY, Map.of("shardId-1", AttributeValue.fromS("maintenance"), "shardId-2",
                AttributeValue.fromM(Map.of("at", AttributeValue.fromN("1E+99"), "by", AttributeValue.fromS("me")))));
        pauses.begin(state.own());
        assertTrue(pauses.holds("shardId-1"));
        assertTrue(pauses.holds("shardId-2"));
        state.rows.clear();
        pauses.run();
        assertFalse(pauses.holds("shardId-1"));
    }

    /** A shard that waits for its turn is alive, until it starts. */
    @Test
    void alive() {
        signs.waits("shardId-1");
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        signs.heard("shardId-1");
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        assertEquals(Set.of(), signs.takeAlive());
    }

    /** Once the daemon ends no process is started, and records for it are left to the next owner. */
    @Test
    void nothingStartsAtTheEnd() {
        ending = true;
        initialize();
        processor.processRecords(records());
        assertEquals(Set.of(), open);
        processor.leaseLost(LeaseLostInput.builder().build());
        assertEquals(List.of("leaseLost"), told);
    }

    /** A shard whose lease was lost while it waited for its start is not started. */
    @Test
    void nothingStartsWithoutALease() {
        held = null;
        initialize();
        assertEquals(Set.of(), open);
        assertEquals(List.of(), told);
    }

    /**
     * What is in doubt is written once more before a shard's end, and each write needs a proof: at the
     * recorded position the lease is written to. It is heard, for it may last as long as an outage.
     * The end itself is the KCL's to record.
     */
    @Test
    void shardEndIsFenced() {
        List<String> recorded = new ArrayList<>();
        AtomicReference<ShardEndedInput> given = new AtomicReference<>();
        ShardRecordProcessor child = Fake.of(ShardRecordProcessor.class, (method, arguments) -> {
            if (method.equals("shardEnded")) {
                given.set((ShardEndedInput) arguments[0]);
            }
            return null;
        });
        LeaseCoordinator leases = Fake.of(LeaseCoordinator.class,
                (method, arguments) -> method.equals("updateLease") ? recorded.add("proof") : held);
        RecordProcessorCheckpointer kcl = Fake.of(RecordProcessorCheckpointer.class,
                (method, arguments) -> recorded.add(arguments == null ? "end" : (String) arguments[0]));
        ShardProcessor atItsEnd = processor(child, leases);
        initialize(atItsEnd);
        signs.takeAlive();
        atItsEnd.shardEnded(ShardEndedInput.builder().checkpointer(kcl).build());
        RecordProcessorCheckpointer fenced = given.get().checkpointer();
        assertDoesNotThrow(() -> fenced.checkpoint("100", 0));
        assertDoesNotThrow(() -> fenced.checkpoint("100", 0));
        assertDoesNotThrow(() -> fenced.checkpoint());
        assertEquals(List.of("100", "proof", "end"), recorded);
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        held = null;
        assertThrows(ShutdownException.class, () -> fenced.checkpoint("100", 0));
    }

    /** An end that is not recorded, as by a record processor that has lost its lease, is told to nobody. */
    @Test
    void endThatIsNotRecorded() {
        for (boolean recorded : List.of(false, true)) {
            ShardProcessor atItsEnd = processor(Fake.of(ShardRecordProcessor.class, (method, arguments) -> {
                if (recorded && method.equals("shardEnded")) {
                    assertDoesNotThrow(() -> ((ShardEndedInput) arguments[0]).checkpointer().checkpoint());
                }
                return null;
            }));
            initialize(atItsEnd);
            atItsEnd.shardEnded(end());
            assertEquals(recorded ? 1 : 0,
                    heard.words().stream().filter(line -> line.contains("was read to its end")).count());
        }
    }

    /** A shard that waits for its parent can be let go before it was taken up. */
    @Test
    void letGoBeforeTheStart() {
        processor.leaseLost(LeaseLostInput.builder().build());
        assertEquals(List.of("leaseLost"), told);
    }

    /** The KCL skips the records over which something was thrown: the lease is let go before it brings the next ones. */
    @Test
    void thrownOver() {
        List<String> dropped = new ArrayList<>();
        ShardProcessor processor = processor(
                Fake.of(ShardRecordProcessor.class, (method, arguments) -> {
                    told.add(method);
                    if (method.equals("processRecords")) {
                        throw new IllegalStateException("a fault");
                    }
                    return null;
                }),
                Fake.of(LeaseCoordinator.class, (method, arguments) ->
                        method.equals("dropLease") ? dropped.add(method) : held));
        initialize(processor);
        assertThrows(IllegalStateException.class, () -> processor.processRecords(change()));
        assertEquals(List.of("dropLease"), dropped);
        processor.processRecords(change());
        assertThrows(IllegalStateException.class, () -> processor.shardEnded(end()));
        assertEquals(List.of("initialize", "processRecords"), told);
    }

    /**
     * At a shard's end what is in doubt is written once more, for which the lease is proved as ever: the
     * KCL's own checkpointer answers success at a position that is recorded, and asks nobody.
     */
    @Test
    void provedAtTheEndOfTheShard() {
        List<String> refused = new ArrayList<>();
        ShardRecordProcessor settling = Fake.of(ShardRecordProcessor.class, (method, arguments) -> {
            if (method.equals("shardEnded")) {
                RecordProcessorCheckpointer given = ((ShardEndedInput) arguments[0]).checkpointer();
                refused.add(assertThrows(ShutdownException.class, () -> given.checkpoint("TRIM_HORIZON")).getMessage());
            }
            return null;
        });
        LeaseCoordinator anothers = Fake.of(LeaseCoordinator.class, (method, arguments) ->
                method.equals("getCurrentlyHeldLease") ? held : Boolean.FALSE);
        ShardProcessor atItsEnd = processor(settling, anothers);
        initialize(atItsEnd);
        signs.takeAlive();
        atItsEnd.shardEnded(end());
        assertEquals(1, refused.size());
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        assertEquals(Set.of(), open);
    }
}

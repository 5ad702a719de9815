package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class ShardProcessorTest {
    private final List<String> told = new ArrayList<>();
    private final Set<ShardProcessor> open = ConcurrentHashMap.newKeySet();
    private Lease held = new Lease();
    private boolean ending;
    private final SignsOfLife signs = new SignsOfLife();
    private final ShardProcessor processor = processor(
            Fake.of(ShardRecordProcessor.class, (method, arguments) -> told.add(method)),
            Fake.of(LeaseCoordinator.class, (method, arguments) -> held));

    @BeforeEach
    void hold() {
        held.concurrencyToken(UUID.randomUUID());
    }

    private ShardProcessor processor(ShardRecordProcessor child, LeaseCoordinator leases) {
        return new ShardProcessor(child, () -> leases, open, new Handover(
                () -> null, () -> false, worker -> {}, "me", () -> false),
                new StartGate(1, () -> ending, Duration.ofMinutes(1)), signs, () -> false);
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

    /** A shard that waits for its parent can be let go before it was taken up. */
    @Test
    void letGoBeforeTheStart() {
        processor.leaseLost(LeaseLostInput.builder().build());
        assertEquals(List.of("leaseLost"), told);
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
        atItsEnd.shardEnded(ShardEndedInput.builder()
                .checkpointer(Fake.of(RecordProcessorCheckpointer.class, (method, arguments) -> null)).build());
        assertEquals(1, refused.size());
        assertEquals(Set.of("shardId-1"), signs.takeAlive());
        assertEquals(Set.of(), open);
    }
}

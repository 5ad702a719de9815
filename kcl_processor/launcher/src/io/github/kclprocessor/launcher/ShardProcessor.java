package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.MDC;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * One shard's MultiLang processor in the shape that the adapter asks for, behind a lease fence.
 *
 * <p>The records pass as they are: {@code KinesisClientRecord.data()} is the stream record's JSON.
 * At a shard's end, too: what is in doubt is written once more there, which takes a minute and more,
 * and the KCL's own checkpointer answers success at a recorded position, whoever has the lease.
 */
final class ShardProcessor implements DynamoDBStreamsShardRecordProcessor {
    /** The name in the log's context of the shard that a thread is at work for. */
    static final String SHARD = "shard";

    private final ShardRecordProcessor child;
    private final Supplier<LeaseCoordinator> leases;
    private final Set<ShardProcessor> open;
    private final Handover handover;
    private final StartGate gate;
    private final SignsOfLife signs;
    private final Outlet outlet;
    private final UntoldGaps gaps;
    private final BooleanSupplier overdue;
    private final Deliveries deliveries = new Deliveries(System::nanoTime);
    private LeaseFence fence;
    private UntoldGaps.Hold hold;
    /** Null if the shard was let go before it was taken up. */
    private String shardId;
    private boolean started;
    /** Whether records were left to the shard's next owner: nothing behind them may pass. */
    private boolean leftOff;

    /**
     * @param open a concurrent set that holds the processor from its start to its end
     * @param overdue see {@link LeaseFence}
     */
    ShardProcessor(ShardRecordProcessor child, Supplier<LeaseCoordinator> leases, Set<ShardProcessor> open,
            Handover handover, StartGate gate, SignsOfLife signs, Outlet outlet, UntoldGaps gaps,
            BooleanSupplier overdue) {
        this.outlet = outlet;
        this.gaps = gaps;
        this.overdue = overdue;
        this.child = child;
        this.leases = leases;
        this.open = open;
        this.handover = handover;
        this.gate = gate;
        this.signs = signs;
    }

    /**
     * Starts the shard's process, unless the daemon ends or the lease is gone.
     *
     * <p>Not to start is no failure: a shard that fails to initialize is told to again, and is never
     * closed. Without a process the MultiLang processor answers all that is left, to be let go.
     */
    @Override
    public void initialize(InitializationInput input) {
        shardId = input.shardId();
        fence = new LeaseFence(shardId, leases, input.extendedSequenceNumber(), overdue);
        hold = gaps.take(shardId, input.extendedSequenceNumber());
        // Before the gate looks at the end, which waits for all that are open.
        open.add(this);
        signs.waits(shardId);
        try {
            started = gate.pass(fence::isHeld, () -> start(input));
        } finally {
            signs.heard(shardId);
        }
        if (!started) {
            hold.letGo();
            open.remove(this);
        }
    }

    private void start(InitializationInput input) {
        signs.heard(shardId);
        named(() -> child.initialize(input));
    }

    /** Null until the shard is taken up. */
    String shardId() {
        return shardId;
    }

    /**
     * None of what is left off is recorded as done, so whoever reads the shard next is given it again.
     *
     * <p>That is to be anybody if something is thrown: the KCL would skip these records ({@code ProcessTask}).
     */
    @Override
    public void processRecords(ProcessRecordsInput input) {
        try {
            letOut(input);
        } catch (RuntimeException | Error e) {
            leftOff = true;
            Connectors.LOG.error("Shard {} is let go, and read again from its checkpoint: {}", shardId, e.toString());
            fence.letGo();
            throw e;
        }
    }

    private void letOut(ProcessRecordsInput input) {
        if (!started || leftOff) {
            return;
        }
        hold.tell();
        if (input.records().isEmpty()) {
            deliver(input);
        }
        int passed = 0;
        while (!leftOff && passed < input.records().size()) {
            ProcessRecordsInput left = only(input, passed, input.records().size());
            WriteAccount.Slice slice =
                    outlet.await(shardId, left.records(), fence, () -> deliver(only(left, 0, 0)));
            leftOff = slice == null;
            if (!leftOff) {
                pass(left, slice);
                passed += slice.records;
                String last = input.records().get(passed - 1).sequenceNumber();
                hold.written(new ExtendedSequenceNumber(last));
            }
        }
    }

    private void pass(ProcessRecordsInput left, WriteAccount.Slice slice) {
        try {
            deliver(only(left, 0, slice.records));
        } finally {
            outlet.written(slice);
        }
    }

    /** Some of the records; how far behind they leave the shard is told by the oldest that waits. */
    private static ProcessRecordsInput only(ProcessRecordsInput input, int from, int to) {
        List<KinesisClientRecord> records = input.records();
        if (to - from == records.size()) {
            return input;
        }
        Instant made = to < records.size() ? records.get(to).approximateArrivalTimestamp() : null;
        long behind = made == null ? 0 : Duration.between(made, Instant.now()).toMillis();
        Long told = input.millisBehindLatest();
        return input.toBuilder().records(records.subList(from, to))
                .millisBehindLatest(told == null ? behind : Math.max(told, behind)).build();
    }

    private void deliver(ProcessRecordsInput input) {
        signs.heard(shardId);
        if (!deliveries.isDue(!input.records().isEmpty())) {
            return;
        }
        named(() -> child.processRecords(input.toBuilder().checkpointer(fenced(input.checkpointer())).build()));
        signs.delivered(shardId);
    }

    @Override
    public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
        throw new UnsupportedOperationException("the scheduler hands over a ProcessRecordsInput");
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
        named(() -> child.leaseLost(input));
        if (shardId != null) {
            hold.letGo();
            handover.release(shardId);
        }
        open.remove(this);
    }

    /**
     * What is in doubt is written once more before the end, for as long as that takes.
     *
     * <p>The KCL takes a shard for read to its end when it has passed on its last records ({@code ProcessTask}),
     * whatever became of them. One that was left off is let go instead: the KCL tries this again, finds
     * no lease and closes the shard as lost. An end waits, too, while the shard is paused: its children
     * would go on.
     *
     * @throws IllegalStateException if records were left to the shard's next owner
     */
    @Override
    public void shardEnded(ShardEndedInput input) {
        leftOff = leftOff || (started && !outlet.awaitEnd(shardId, fence, () -> signs.heard(shardId)));
        if (leftOff) {
            fence.letGo();
            throw new IllegalStateException("The last records of shard " + shardId + " are left to its next owner");
        }
        hold.ended();
        FencedCheckpointer fenced = fenced(input.checkpointer());
        named(() -> child.shardEnded(ShardEndedInput.builder().checkpointer(fenced).build()));
        open.remove(this);
        // A record processor that lost its lease, or was never started, records nothing, and says so to nobody.
        if (fenced.hasEnded()) {
            Connectors.LOG.info("{}", Event.of("ended", shardId, "read to its end",
                    "shard " + shardId + " was read to its end"));
        }
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        named(() -> child.shutdownRequested(input));
    }

    private FencedCheckpointer fenced(RecordProcessorCheckpointer kcl) {
        return new FencedCheckpointer(kcl, fence, () -> signs.heard(shardId));
    }

    private void named(Runnable call) {
        try (MDC.MDCCloseable ignored = MDC.putCloseable(SHARD, shardId)) {
            call.run();
        }
    }
}

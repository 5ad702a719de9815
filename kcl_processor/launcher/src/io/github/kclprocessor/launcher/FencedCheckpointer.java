package io.github.kclprocessor.launcher;

import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.KinesisClientLibDependencyException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.exceptions.ThrottlingException;
import software.amazon.kinesis.processor.Checkpointer;
import software.amazon.kinesis.processor.PreparedCheckpointer;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** A checkpointer whose every success proves that the lease is still held; see {@link LeaseFence}. */
final class FencedCheckpointer implements RecordProcessorCheckpointer {
    private final RecordProcessorCheckpointer kcl;
    private final LeaseFence fence;
    private final Runnable asked;
    private boolean ended;

    /** @param asked told of each checkpoint that is asked for */
    FencedCheckpointer(RecordProcessorCheckpointer kcl, LeaseFence fence, Runnable asked) {
        this.kcl = kcl;
        this.fence = fence;
        this.asked = asked;
    }

    @Override
    public void checkpoint(String sequenceNumber, long subSequenceNumber)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        asked.run();
        ExtendedSequenceNumber position = new ExtendedSequenceNumber(sequenceNumber, subSequenceNumber);
        if (fence.isRecorded(position)) {
            fence.prove();
            return;
        }
        kcl.checkpoint(sequenceNumber, subSequenceNumber);
        fence.record(position);
        // The position is safe by now; the processor must still stop writing.
        fence.refuseHandover();
    }

    @Override
    public void checkpoint(String sequenceNumber)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        checkpoint(sequenceNumber, 0);
    }

    @Override
    public void checkpoint(Record record)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        checkpoint(record.sequenceNumber(), 0);
    }

    /** The shard's end, which a record processor asks for in no other way: nothing is written behind it. */
    @Override
    public void checkpoint()
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        asked.run();
        kcl.checkpoint();
        ended = true;
    }

    /** Whether the shard's end is recorded. */
    boolean hasEnded() {
        return ended;
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint()
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint();
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(byte[] applicationState)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(applicationState);
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(Record record)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(record);
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(Record record, byte[] applicationState)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(record, applicationState);
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(String sequenceNumber)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(sequenceNumber);
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(String sequenceNumber, byte[] applicationState)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(sequenceNumber, applicationState);
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(String sequenceNumber, long subSequenceNumber)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(sequenceNumber, subSequenceNumber);
    }

    @Override
    public PreparedCheckpointer prepareCheckpoint(
            String sequenceNumber, long subSequenceNumber, byte[] applicationState)
            throws KinesisClientLibDependencyException, InvalidStateException, ThrottlingException, ShutdownException {
        return kcl.prepareCheckpoint(sequenceNumber, subSequenceNumber, applicationState);
    }

    @Override
    public Checkpointer checkpointer() {
        return kcl.checkpointer();
    }
}

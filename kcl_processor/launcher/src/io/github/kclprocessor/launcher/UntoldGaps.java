package io.github.kclprocessor.launcher;

import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * Gaps that are told in their turn: once what was read before them is written, and before what is behind them.
 *
 * <p>A shard is read ahead, and a pause, a limit or a slow destination keeps back what was read for as long as it
 * likes. Whoever heals a gap goes by when it was told: what is written later would lie over it for good.
 */
final class UntoldGaps {
    private static final class Untold {
        final ExtendedSequenceNumber checkpoint;
        final Runnable tell;

        Untold(String checkpoint, Runnable tell) {
            this.checkpoint = new ExtendedSequenceNumber(checkpoint);
            this.tell = tell;
        }
    }

    /** Up to where each shard that is at work is written. */
    private final Map<String, ExtendedSequenceNumber> written = new ConcurrentHashMap<>();
    private final Map<String, Queue<Untold>> untold = new ConcurrentHashMap<>();

    /**
     * A gap was found by whoever reads the shard.
     *
     * @param checkpoint the last sequence number that was read, or the name of a place in the shard
     * @param tell throws if the daemon ends with it
     */
    void found(String shard, String checkpoint, Runnable tell) {
        ExtendedSequenceNumber at = written.get(shard);
        if (at == null || at.compareTo(new ExtendedSequenceNumber(checkpoint)) >= 0) {
            tell.run();
            return;
        }
        untold.computeIfAbsent(shard, one -> new ConcurrentLinkedQueue<>()).add(new Untold(checkpoint, tell));
    }

    /** A shard is taken up, or written up to somewhere; before that is recorded anywhere. */
    void written(String shard, ExtendedSequenceNumber at) {
        written.put(shard, at);
        tell(shard);
    }

    /** Tells what is behind nothing that waits; to be asked before anything is passed on. */
    void tell(String shard) {
        ExtendedSequenceNumber at = written.get(shard);
        Queue<Untold> waiting = untold.get(shard);
        while (at != null && waiting != null && !waiting.isEmpty() && at.compareTo(waiting.peek().checkpoint) >= 0) {
            waiting.peek().tell.run();
            waiting.remove();
        }
    }

    /** Tells all that is left: the shard was read to its end. */
    void ended(String shard) {
        written(shard, ExtendedSequenceNumber.SHARD_END);
        forget(shard);
    }

    /** The shard is let go; who has it next begins where it was written to, and finds its gaps. */
    void forget(String shard) {
        written.remove(shard);
        untold.remove(shard);
    }
}

package io.github.kclprocessor.launcher;

import java.util.Iterator;
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

    /**
     * A shard in the hands of one processor. The next one of the same worker may have begun before this one is
     * closed: then the gaps are that one's, which writes what is before them once more.
     */
    final class Hold {
        private final String shard;
        private final Queue<Untold> untold;
        private volatile ExtendedSequenceNumber written;

        private Hold(String shard, ExtendedSequenceNumber at, Hold before) {
            this.shard = shard;
            this.written = at;
            this.untold = before == null ? new ConcurrentLinkedQueue<>() : before.untold;
        }

        /** The shard is written up to somewhere; before that is recorded anywhere. */
        void written(ExtendedSequenceNumber at) {
            written = at;
            tell();
        }

        /** Tells what is behind nothing that waits; to be asked before anything is passed on. */
        void tell() {
            if (holds.get(shard) != this) {
                return;
            }
            // A page that is read again finds a gap before those that wait.
            for (Iterator<Untold> each = untold.iterator(); each.hasNext();) {
                Untold next = each.next();
                if (written.compareTo(next.checkpoint) >= 0) {
                    next.tell.run();
                    each.remove();
                }
            }
        }

        /** Tells all that is left: the shard was read to its end. */
        void ended() {
            written(ExtendedSequenceNumber.SHARD_END);
            letGo();
        }

        /** Who has the shard next begins where it was written to, and finds its gaps. */
        void letGo() {
            holds.remove(shard, this);
        }
    }

    /** Of each shard that is at work, the last. */
    private final Map<String, Hold> holds = new ConcurrentHashMap<>();

    /** A shard is taken up, which is written up to somewhere. */
    Hold take(String shard, ExtendedSequenceNumber at) {
        Hold hold = holds.compute(shard, (name, before) -> new Hold(name, at, before));
        hold.tell();
        return hold;
    }

    /**
     * A gap was found by whoever reads the shard.
     *
     * @param checkpoint the last sequence number that was read, or the name of a place in the shard
     * @param tell throws if the daemon ends with it
     */
    void found(String shard, String checkpoint, Runnable tell) {
        Hold hold = holds.get(shard);
        if (hold == null || hold.written.compareTo(new ExtendedSequenceNumber(checkpoint)) >= 0) {
            tell.run();
            return;
        }
        hold.untold.add(new Untold(checkpoint, tell));
    }
}

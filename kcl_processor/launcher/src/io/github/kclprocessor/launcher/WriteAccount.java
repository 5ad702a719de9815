package io.github.kclprocessor.launcher;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * What this worker may still write by its share of a limit, in write capacity units.
 *
 * <p>What records cost is known only once they are written. So they are let out in slices, each for what its
 * records weigh, as long as the account is not in debt; what the record processors then tell that they consumed
 * takes the place of it, and whoever comes next pays the difference. Of shards that wait the one that has waited
 * longest comes first, and the more of them wait the smaller the slices are, so that all get on alike.
 *
 * <p>Safe to call from many threads at once.
 */
final class WriteAccount {
    /** What is saved up while nobody writes, and what is let out at once, in seconds of the rate. */
    private static final double SPAN_SECONDS = 0.5;
    private static final double UNIT_BYTES = 1024;
    private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Records of one shard that were let out. */
    static final class Slice {
        final int records;
        private final double weight;
        private long endedAt;

        private Slice(int records, double weight) {
            this.records = records;
            this.weight = weight;
        }
    }

    /** What was needed in some time. */
    static final class Demand {
        final double unitsASecond;
        /** How many shards had to wait. */
        final int waiting;

        Demand(double unitsASecond, int waiting) {
            this.unitsASecond = unitsASecond;
            this.waiting = waiting;
        }
    }

    private static final class Waiter {
        final Thread thread = Thread.currentThread();
        /** Busy with something else: another may go first. */
        boolean aside;
    }

    private final LongSupplier nanos;
    private double rate = Double.POSITIVE_INFINITY;
    /** When the rate is not this worker's any more. */
    private long until;
    private double balance;
    private long paidAt;
    /** What slices weigh that are under way, or ended after the last report was asked for. */
    private double unsettled;
    private final Deque<Slice> ended = new ArrayDeque<>();
    /** In all, as the record processors told it last; negative before they have. */
    private double reported = -1;
    /** Shards that wait, the one first that does so longest. */
    private final Map<String, Waiter> waiting = new LinkedHashMap<>();

    private final Set<String> waited = new HashSet<>();
    private double used;
    private long demandAt;

    WriteAccount(LongSupplier nanos) {
        this.nanos = nanos;
        paidAt = demandAt = nanos.getAsLong();
    }

    /** There is no limit. */
    synchronized void free() {
        if (isLimited()) {
            rate = Double.POSITIVE_INFINITY;
            balance = unsettled = 0;
            ended.clear();
            reported = -1;
            waiting.values().forEach(waiter -> LockSupport.unpark(waiter.thread));
        }
    }

    /** So many units a second may be written until some moment, and nothing from then on. */
    synchronized void share(double unitsASecond, long untilNanos) {
        pay();
        rate = unitsASecond;
        until = untilNanos;
        wakeFirst();
    }

    /** From now on no more than this may be written, and for no longer than before. */
    synchronized void lower(double unitsASecond) {
        pay();
        if (!isLimited()) {
            until = nanos.getAsLong();
        }
        rate = Math.min(rate, unitsASecond);
        balance = Math.min(balance, rate * SPAN_SECONDS);
    }

    /** What is owed was owed by another limit. */
    synchronized void clear() {
        balance = 0;
    }

    /** Whether nothing may be let out, for the share ran out. */
    synchronized boolean isOut() {
        return isLimited() && nanos.getAsLong() - until >= 0;
    }

    synchronized boolean isLimited() {
        return rate < Double.POSITIVE_INFINITY;
    }

    /**
     * Lets out the first of some records of a shard.
     *
     * @param left not empty
     * @return null if the shard has to wait
     */
    synchronized Slice take(String shard, List<KinesisClientRecord> left) {
        if (!isLimited()) {
            waiting.remove(shard);
            return new Slice(left.size(), 0);
        }
        pay();
        waiting.computeIfAbsent(shard, name -> new Waiter()).aside = false;
        if (balance - unsettled < 0 || rate <= 0 || isOut() || !isFirst(shard)) {
            waited.add(shard);
            return null;
        }
        Slice slice = slice(left, rate * SPAN_SECONDS / waiting.size());
        waiting.remove(shard);
        unsettled += slice.weight;
        wakeFirst();
        return slice;
    }

    /** As many as the most units allow, and one at least. */
    private static Slice slice(List<KinesisClientRecord> left, double most) {
        double weight = weight(left.get(0));
        int records = 1;
        while (records < left.size() && weight + weight(left.get(records)) <= most) {
            weight += weight(left.get(records));
            records++;
        }
        return new Slice(records, weight);
    }

    /** A record of the stream is about as large as the item that is written. */
    private static double weight(KinesisClientRecord record) {
        return record.data() == null ? 1 : Math.max(1, Math.ceil(record.data().remaining() / UNIT_BYTES));
    }

    private boolean isFirst(String shard) {
        return first() == waiting.get(shard);
    }

    /** Null if nobody waits who could go now. */
    private Waiter first() {
        return waiting.values().stream().filter(waiter -> !waiter.aside).findFirst().orElse(null);
    }

    private void wakeFirst() {
        Waiter first = first();
        if (first != null) {
            LockSupport.unpark(first.thread);
        }
    }

    /** What a slice cost is in the reports that are asked for from now on. */
    synchronized void written(Slice slice) {
        if (reported < 0) {
            // Nobody tells what it was.
            settle(slice);
            charge(slice.weight);
            return;
        }
        slice.endedAt = nanos.getAsLong();
        ended.add(slice);
    }

    /**
     * What the record processors consumed since they were started.
     *
     * @param askedAt when they were asked for it
     */
    synchronized void report(double total, long askedAt) {
        if (reported >= 0) {
            charge(total - reported);
        }
        reported = total;
        while (!ended.isEmpty() && ended.peek().endedAt - askedAt < 0) {
            settle(ended.remove());
        }
        wakeFirst();
    }

    /** One that was let out before a limit has begun anew is settled with that. */
    private void settle(Slice slice) {
        unsettled = Math.max(0, unsettled - slice.weight);
    }

    private void charge(double units) {
        balance -= units;
        used += units;
    }

    /** The shard's thread is busy with something else. */
    synchronized void stepAside(String shard) {
        Waiter waiter = waiting.get(shard);
        if (waiter != null) {
            waiter.aside = true;
            wakeFirst();
        }
    }

    /** A shard does not wait any more. */
    synchronized void leave(String shard) {
        if (waiting.remove(shard) != null) {
            wakeFirst();
        }
    }

    /** Waits for this shard's turn, or until the debt may be paid, and no longer than so many milliseconds. */
    void await(String shard, long most) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(patience(shard, most)));
    }

    private synchronized long patience(String shard, long most) {
        Waiter waiter = waiting.get(shard);
        if (waiter == null) {
            return most;
        }
        waiter.aside = false;
        double debt = unsettled - balance;
        boolean pays = isLimited() && rate > 0 && debt > 0 && isFirst(shard);
        return pays ? Math.max(1, Math.min(most, (long) Math.ceil(debt / rate * 1000))) : most;
    }

    /** What was needed since this was asked last. */
    synchronized Demand takeDemand() {
        long now = nanos.getAsLong();
        Demand taken = new Demand(used / Math.max(1e-3, (now - demandAt) / NANOS), waited.size());
        demandAt = now;
        used = 0;
        waited.clear();
        return taken;
    }

    /** A share that ran out pays no more. */
    private void pay() {
        long now = nanos.getAsLong();
        if (isLimited()) {
            double seconds = Math.max(0, Math.min(now, until) - paidAt) / NANOS;
            balance = Math.min(rate * SPAN_SECONDS, balance + seconds * rate);
        }
        paidAt = now;
    }
}

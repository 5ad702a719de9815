package io.github.kclprocessor.launcher;

import java.util.Collection;
import java.util.Map;

/**
 * What share of a limit a worker wants, by what all of them tell of themselves.
 *
 * <p>A worker that uses less than it has gets that and half as much again, for what comes; those that use theirs up
 * share what is left by how many of their shards wait. A tenth of the limit is held for all alike, so that a shard
 * which begins to change can write at once. If nobody waits, what is left is everybody's.
 */
final class Shares {
    /** A whole limit. */
    static final long WHOLE = 1_000_000;
    private static final double HELD = 0.1;
    private static final double HEADROOM = 1.5;
    private static final double USED_UP = 0.8;

    /** What a worker has, and what it told of its needs. */
    static final class Share {
        final long parts;
        final double unitsASecond;
        final int waiting;

        Share(long parts, double unitsASecond, int waiting) {
            this.parts = parts;
            this.unitsASecond = unitsASecond;
            this.waiting = waiting;
        }

        private boolean isShort(double limit) {
            return waiting > 0 && unitsASecond >= USED_UP * limit * parts / WHOLE;
        }
    }

    private Shares() {}

    /**
     * The parts that a worker may have now: what it wants, as far as the others have left it.
     *
     * @param all those of every worker, its own among them
     */
    static long parts(String worker, Map<String, Share> all, double limit) {
        long others = all.entrySet().stream().filter(share -> !share.getKey().equals(worker))
                .mapToLong(share -> share.getValue().parts).sum();
        long wanted = (long) (WHOLE * wanted(all.get(worker), all.values(), limit));
        return Math.max(0, Math.min(wanted, WHOLE - others));
    }

    private static double wanted(Share ours, Collection<Share> all, double limit) {
        double least = HELD / all.size();
        double given = all.stream().mapToDouble(share -> given(share, limit, least)).sum();
        double mine = given(ours, limit, least);
        if (given >= 1) {
            return mine / given;
        }
        int waiting = all.stream().filter(share -> share.isShort(limit)).mapToInt(share -> share.waiting).sum();
        if (waiting == 0) {
            return mine + (1 - given) / all.size();
        }
        return ours.isShort(limit) ? mine + (1 - given) * ours.waiting / waiting : mine;
    }

    /** Whatever the others need. */
    private static double given(Share share, double limit, double least) {
        return share.isShort(limit) ? least : Math.max(least, share.unitsASecond * HEADROOM / limit);
    }
}

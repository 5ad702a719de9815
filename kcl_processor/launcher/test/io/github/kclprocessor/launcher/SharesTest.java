package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SharesTest {
    private final Map<String, Shares.Share> all = new HashMap<>();

    private void has(String worker, double part, double unitsASecond, int waiting) {
        all.put(worker, new Shares.Share((long) (part * Shares.WHOLE), unitsASecond, waiting));
    }

    private double part(String worker) {
        return (double) Shares.parts(worker, all, 100) / Shares.WHOLE;
    }

    /** Alone it has all, whether it needs it or not. */
    @Test
    void alone() {
        has("a", 0, 0, 0);
        assertEquals(1, part("a"), 1e-5);
        has("a", 1, 100, 8);
        assertEquals(1, part("a"), 1e-5);
    }

    /** Where nobody waits, all have the same, and what they use above that. */
    @Test
    void idle() {
        has("a", 0, 0, 0);
        has("b", 0, 0, 0);
        assertEquals(0.5, part("a"), 1e-5);
        has("a", 0.5, 40, 0);
        assertEquals(0.6 + 0.35 / 2, part("a"), 1e-5);
    }

    /** What an idle worker does not use is for those whose shards wait; a little it keeps. */
    @Test
    void oneIsBusy() {
        has("a", 0.5, 50, 3);
        has("b", 0.05, 0, 0);
        assertEquals(0.95, part("a"), 1e-5);
        has("b", 0.95, 0, 0);
        assertEquals(0.05, part("b"), 1e-5);
        assertEquals(0.05, part("a"), 1e-5, "what b has not given up yet");
    }

    /** Those that are short share by how many of their shards wait. */
    @Test
    void byNeed() {
        has("a", 0.1, 10, 3);
        has("b", 0.1, 10, 1);
        assertEquals(0.05 + 0.9 * 0.75, part("a"), 1e-5);
        assertEquals(0.05 + 0.9 * 0.25, part("b"), 1e-5);
    }

    /** A shard that waited for a moment makes nobody short who does not use up what it has. */
    @Test
    void aBurst() {
        has("a", 0.5, 10, 1);
        has("b", 0.4, 40, 1);
        assertEquals(0.15, part("a"), 1e-5);
        assertEquals(0.5, part("b"), 1e-5);
        has("a", 0.15, 10, 1);
        assertEquals(0.85, part("b"), 1e-5);
    }

    /** Whatever they have and need, nobody takes what others have. */
    @Test
    void neverMoreThanThereIs() {
        Random random = new Random(7);
        for (int run = 0; run < 5_000; run++) {
            all.clear();
            int workers = 1 + random.nextInt(12);
            double left = 1;
            for (int worker = 0; worker < workers; worker++) {
                double part = random.nextBoolean() ? 0 : left * random.nextDouble();
                left -= part;
                has("w" + worker, part, random.nextDouble() * 200, random.nextInt(4));
            }
            long others = all.entrySet().stream().filter(share -> !share.getKey().equals("w0"))
                    .mapToLong(share -> share.getValue().parts).sum();
            long parts = Shares.parts("w0", all, 100);
            assertTrue(parts >= 0 && parts + others <= Shares.WHOLE);
        }
    }
}

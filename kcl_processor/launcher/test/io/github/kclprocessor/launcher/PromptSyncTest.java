package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PromptSyncTest {
    private final Set<String> parents = new HashSet<>();
    private int syncs;
    private Exception failure;
    private final PromptSync sync = new PromptSync(() -> {
        syncs++;
        if (failure != null) {
            throw failure;
        }
        return parents;
    });

    private void rounds(int rounds) {
        for (int round = 0; round < rounds; round++) {
            sync.run();
        }
    }

    /** It syncs for a shard until the shard has children, and not unasked. */
    @Test
    void untilThereAreChildren() {
        rounds(4);
        assertEquals(0, syncs);
        sync.ask("a");
        sync.ask("a");
        rounds(2);
        assertEquals(2, syncs);
        parents.add("a");
        rounds(2);
        assertEquals(3, syncs);
        rounds(PromptSync.ROUNDS);
        assertEquals(3, syncs);
    }

    /** One that fails, or finds none, is done again, more and more rarely, and then left to the KCL. */
    @Test
    void lessAndLess() {
        failure = new IllegalStateException("the stream is away");
        sync.ask("a");
        rounds(10 * PromptSync.ROUNDS);
        assertEquals(8, syncs);
    }
}

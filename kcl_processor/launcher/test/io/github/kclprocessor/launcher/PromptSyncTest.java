package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PromptSyncTest {
    private int syncs;
    private Exception failure;
    private final PromptSync sync = new PromptSync(() -> {
        syncs++;
        if (failure != null) {
            throw failure;
        }
        return null;
    });

    /** It syncs once for all that was asked since the last round, and not unasked. */
    @Test
    void whenItIsAsked() {
        sync.run();
        assertEquals(0, syncs);
        sync.ask();
        sync.ask();
        sync.run();
        sync.run();
        assertEquals(1, syncs);
    }

    /** One that failed is done again at the next round. */
    @Test
    void afterAFailure() {
        failure = new IllegalStateException("the stream is away");
        sync.ask();
        sync.run();
        failure = null;
        sync.run();
        sync.run();
        assertEquals(2, syncs);
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class InTurnTest {
    private final InTurn executor = new InTurn();

    /** When it is given back, it has been done, by who gave it. */
    @Test
    void aTaskIsDoneAtOnce() throws Exception {
        Future<Thread> done = executor.submit(Thread::currentThread);
        assertTrue(done.isDone());
        assertEquals(Thread.currentThread(), done.get());
    }

    /** What a task throws is told to who asks for its outcome, as ever. */
    @Test
    void aFailureIsTheFutures() {
        Future<Object> failed = executor.submit(() -> {
            throw new IOException("broken");
        });
        assertEquals("broken", assertThrows(ExecutionException.class, failed::get).getCause().getMessage());
    }
}

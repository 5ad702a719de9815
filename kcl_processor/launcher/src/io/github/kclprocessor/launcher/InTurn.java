package io.github.kclprocessor.launcher;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Does what it is given at once, on the thread that gives it.
 *
 * <p>The KCL writes each message to a record processor on one thread and reads the answer on another,
 * while a third waits for both. A message is written whole before its answer begins, so one will do.
 */
final class InTurn extends AbstractExecutorService {
    @Override
    public void execute(Runnable task) {
        task.run();
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return false;
    }
}

package io.github.kclprocessor.launcher;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Keeps a process beside the daemon that heals the gaps of its host ({@code cli/beside.py}): one that ends alone,
 * by the kernel's hand or for an error of its own, is started again. Otherwise gaps would stay open unseen.
 *
 * <p>It ends by itself when its parent is gone, so nobody waits for it at the daemon's end; and the next one is not
 * started before this one has ended.
 */
final class Healer implements Runnable {
    /** What the start tells: the words of its command. Without it there is nothing to heal. */
    private static final String PROPERTY = "kcl_processor.healer";
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    /** One that has lived for so long ended for a reason of its own, which is told. */
    private static final Duration LIVED = Duration.ofMinutes(10);

    private final List<String> command;
    private final String task;
    private final BooleanSupplier ending;
    private final Presence.Wait wait;
    private final LongSupplier nanos;

    /** @param ending whether nothing may be started any more */
    Healer(List<String> command, String task, BooleanSupplier ending, Presence.Wait wait, LongSupplier nanos) {
        this.command = command;
        this.task = task;
        this.ending = ending;
        this.wait = wait;
        this.nanos = nanos;
    }

    /** Keeps one for as long as the daemon lives, if its start asks for that. */
    static void start(String task, BooleanSupplier ending) {
        Arguments.command(PROPERTY).ifPresent(command -> {
            Thread keeper = new Thread(new Healer(command, task, ending, Thread::sleep, System::nanoTime), "healer");
            keeper.setDaemon(true);
            keeper.start();
        });
    }

    @Override
    public void run() {
        try {
            Duration pause = FIRST_PAUSE;
            while (!ending.getAsBoolean()) {
                long began = nanos.getAsLong();
                String end = live();
                if (nanos.getAsLong() - began >= LIVED.toNanos()) {
                    pause = FIRST_PAUSE;
                }
                wait.millis(pause.toMillis());
                // A signal for the whole group may reach it before the daemon.
                if (pause.equals(FIRST_PAUSE) && !ending.getAsBoolean()) {
                    tell(end);
                }
                pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Starts it, and says at its end how that came. */
    private String live() throws InterruptedException {
        try {
            Process healer = new ProcessBuilder(command).inheritIO()
                    .redirectInput(new File("/dev/null")).start();
            return "ended " + ChildExitFilter.how(healer.waitFor());
        } catch (IOException | RuntimeException | Error e) {
            // A host without memory may have some later.
            return "cannot be started (" + e + ")";
        }
    }

    private void tell(String end) {
        String words = "the process that heals gaps " + end + ", and is started again";
        Connectors.LOG.warn("{}", Event.of("restarted", words, words + ", after up to " + LONGEST_PAUSE.toSeconds()
                + " s each time if that comes back; gaps stay open meanwhile. What it said itself is on stderr."
                + " Try: kcl-processor heal " + task));
    }
}

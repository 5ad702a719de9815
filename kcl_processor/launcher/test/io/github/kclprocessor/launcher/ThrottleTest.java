package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ThrottleTest {
    @RegisterExtension
    final Heard heard = new Heard();

    private volatile long now = 42;
    private Throttle.Look answer = () -> false;
    private final Throttle throttle = throttle(new Throttle.Look() {
        @Override
        public boolean holds() throws IOException, InterruptedException {
            return answer.holds();
        }

        @Override
        public String toString() {
            return "the alarm";
        }
    });

    private Throttle throttle(Throttle.Look look) {
        return new Throttle(Optional.of(look), () -> now);
    }

    private void looks(Throttle.Look found) {
        answer = found;
        throttle.run();
        throttle.run();
    }

    /** The lines since this was asked last; an event begins with its kind. */
    private List<String> said() {
        List<String> lines = heard.lines.stream()
                .map(line -> line.getArgumentArray()[0] instanceof Event
                        ? ((Event) line.getArgumentArray()[0]).what + ": " + line.getFormattedMessage()
                        : line.getFormattedMessage())
                .collect(Collectors.toList());
        heard.lines.clear();
        return lines;
    }

    /** While it holds nothing goes out; each change is one line, and an event, however often it is looked. */
    @Test
    void holds() {
        looks(() -> false);
        assertEquals(List.of(), said());
        looks(() -> true);
        assertTrue(throttle.holds());
        assertEquals("the alarm", throttle.told().get("by").s());
        assertTrue(Long.parseLong(throttle.told().get("at").n()) > 0);
        assertEquals(List.of("throttled: Throttled by the alarm: nothing more is applied until it holds no more, and"
                + " the stream keeps it for a day"), said());
        looks(() -> false);
        assertFalse(throttle.holds());
        assertEquals(Map.of(), throttle.told());
        assertEquals(List.of("unthrottled: Throttled no more: the alarm holds no more"), said());
    }

    /** A look that fails throttles nothing, whatever the last one found, and is told once. */
    @Test
    void fails() {
        looks(() -> true);
        said();
        looks(() -> {
            throw new IOException("late");
        });
        assertFalse(throttle.holds());
        assertEquals(
                List.of("unthrottled: Throttled no more: whether the alarm holds cannot be told (late)"), said());
        looks(() -> false);
        assertEquals(List.of("Whether the alarm holds can be told again, and it does not"), said());
        looks(() -> {
            throw new IllegalStateException("denied");
        });
        assertFalse(throttle.holds());
        assertEquals(List.of("Nothing is throttled: whether the alarm holds cannot be told"
                + " (java.lang.IllegalStateException: denied). Try: kcl-processor doctor, or the command by hand"),
                said());
        looks(() -> true);
        assertTrue(throttle.holds());
    }

    /** One that does not come to its end keeps nothing back for longer than it may take. */
    @Test
    void hangs() {
        looks(() -> true);
        now += Throttle.LOOKS.plus(Throttle.LONGEST).toNanos();
        assertTrue(throttle.holds());
        now += Duration.ofSeconds(6).toNanos();
        assertFalse(throttle.holds());
        assertEquals(Map.of(), throttle.told());
    }

    /** Nothing goes out before the first look has ended, unless that takes too long. */
    @Test
    void firstLook() throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        Throttle begun = throttle(() -> {
            asked.countDown();
            free.await();
            return false;
        });
        assertFalse(begun.holds());
        begun.start();
        asked.await();
        assertTrue(begun.holds());
        assertEquals(Map.of(), begun.told());
        now += Throttle.LONGEST.toNanos();
        assertFalse(begun.holds());
        free.countDown();
    }

    /** Without a word in the file there is nothing to look at. */
    @Test
    void nothing() {
        Throttle none = new Throttle(Optional.empty(), () -> now);
        none.start();
        none.run();
        assertFalse(none.holds());
    }
}

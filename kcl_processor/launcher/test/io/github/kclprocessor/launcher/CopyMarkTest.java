package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class CopyMarkTest {
    private static final Instant NOW = Instant.parse("2026-11-28T12:00:00Z");

    private final FakeStateTable table = new FakeStateTable();

    private void mark(String state, Duration age, boolean forced) {
        table.has(CopyMark.KEY, Map.of(
                "state", AttributeValue.fromS(state),
                "host", AttributeValue.fromS("copier"),
                "startedAt", AttributeValue.builder().n(NOW.minus(age).getEpochSecond() + ".25").build(),
                "forced", AttributeValue.builder().bool(forced).build()));
    }

    private void look(boolean started) {
        CopyMark.refuse(table.own(), "orders", started, NOW);
    }

    private Refused refused() {
        return assertThrows(Refused.class, () -> look(false));
    }

    /** Without a copy, and over one that is whole, a daemon starts. */
    @Test
    void whole() {
        look(false);
        mark("done", Duration.ofHours(22), false);
        look(false);
    }

    /** A copy that is cut off or was disturbed is named, with its host and what to type. */
    @Test
    void notWhole() {
        for (String state : new String[] {"begun", "disturbed"}) {
            mark(state, Duration.ZERO, false);
            Refused refused = refused();
            assertEquals(ExitStatus.CONFIG, refused.exitCode);
            assertTrue(refused.getMessage().contains("copier, is not whole (" + state), refused.getMessage());
            assertTrue(refused.getMessage().contains("Try: kcl-processor copy orders"), refused.getMessage());
        }
    }

    /** What changed since a copy that is a day old is leaving the stream, unless a daemon has followed it. */
    @Test
    void stale() {
        mark("done", Duration.ofHours(24), false);
        assertEquals(ExitStatus.GAP, refused().exitCode);
        look(true);
        mark("done", Duration.ofHours(24), true);
        look(false);
    }
}

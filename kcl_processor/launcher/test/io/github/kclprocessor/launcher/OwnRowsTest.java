package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class OwnRowsTest {
    private static final Map<String, AttributeValue> ONE = Map.of("a", AttributeValue.fromS("1"), "b", AttributeValue.fromS("x"));
    private static final Map<String, AttributeValue> TWO = Map.of("a", AttributeValue.fromS("2"));

    private final FakeStateTable table = new FakeStateTable();
    private final OwnRows rows = table.own();

    /** A row is written, replaced and removed only as it was read. */
    @Test
    void asItWasRead() {
        assertEquals(Optional.empty(), rows.read("row"));
        assertTrue(rows.create("row", ONE));
        assertFalse(rows.create("row", TWO));
        assertEquals(Optional.of(ONE), rows.read("row"));
        assertFalse(rows.replace("row", TWO, ONE));
        assertTrue(rows.replace("row", ONE, TWO));
        assertFalse(rows.remove("row", ONE));
        assertTrue(rows.remove("row", TWO));
        assertEquals(Optional.empty(), rows.read("row"));
    }

    /** Attributes are entered and struck out beside those that others have entered. */
    @Test
    void beside() {
        AttributeValue value = AttributeValue.fromS("1");
        table.has("row", Map.of("theirs", value, "old", value));
        assertEquals(Set.of("theirs", "ours"), rows.enter("row", Map.of("ours", value), List.of("old")).keySet());
        assertEquals(Set.of("theirs", "ours"), rows.read("row").get().keySet());
    }

    /** What the service says is passed on as it is, for its exit code. */
    @Test
    void failure() {
        table.lostAnswer = FakeStream.refusal("AccessDeniedException");
        assertEquals(ExitStatus.PERMISSION,
                Trouble.exitCode(assertThrows(RuntimeException.class, () -> rows.create("row", ONE))));
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class SwitchMarkTest {
    private final FakeStateTable table = new FakeStateTable();

    private void look(String state) {
        table.has(SwitchMark.KEY, Map.of("state", AttributeValue.fromS(state)));
        SwitchMark.refuse(table.own(), "orders");
    }

    /** Until its certificate is there, a switchover needs the daemon; afterwards none starts. */
    @Test
    void over() {
        SwitchMark.refuse(table.own(), "orders");
        look("begun");
        look("back");
        Refused refused = assertThrows(Refused.class, () -> look("over"));
        assertEquals(ExitStatus.CONFIG, refused.exitCode);
        assertTrue(refused.getMessage().contains("Try: kcl-processor switchover orders --back"), refused.getMessage());
    }
}

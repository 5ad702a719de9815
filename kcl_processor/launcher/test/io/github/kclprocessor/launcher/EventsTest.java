package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

class EventsTest {
    private final FakeStateTable table = new FakeStateTable();
    private final Events events = new Events("host-1");

    @BeforeEach
    void listen() {
        events.listen();
    }

    @AfterEach
    void detach() {
        ((Logger) Connectors.LOG).detachAppender(events);
    }

    private List<Map<String, AttributeValue>> kept() {
        return table.rows.entrySet().stream()
                .filter(row -> row.getKey().startsWith(Events.KEY))
                .flatMap(row -> new TreeMap<>(row.getValue()).entrySet().stream())
                .filter(attribute -> !attribute.getKey().equals("key"))
                .map(attribute -> attribute.getValue().m())
                .collect(Collectors.toList());
    }

    private static Map<String, AttributeValue> words(Map<String, String> words) {
        return words.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, word -> AttributeValue.fromS(word.getValue())));
    }

    /** Events wait for their table; other lines are none, unless they say what to do about an error. */
    @Test
    void theyAreKept() {
        Connectors.LOG.info("{}", Event.moved("shardId-1", "host-2", "host-1", "not renewed for 31 s"));
        events.write();
        events.keepIn(table.own());
        Connectors.LOG.info("a line like any other");
        Connectors.LOG.error("a line of a trace");
        events.write();
        assertEquals(List.of(words(Map.of("worker", "host-1", "what", "moved", "shard", "shardId-1",
                "from", "host-2", "to", "host-1", "why", "not renewed for 31 s"))), kept());
        table.rows.clear();
        Connectors.LOG.error("{} {}", "shardId-2", "Table x refuses. Try: mend it");
        events.writeLast();
        assertEquals(List.of(words(Map.of("worker", "host-1", "what", "failed", "shard", "shardId-2",
                "why", "shardId-2 Table x refuses. Try: mend it"))), kept());
    }

    /** The last hundred stay, and long words are cut: the row stays small. */
    @Test
    void theOldestGo() {
        events.keepIn(table.own());
        for (int round = 0; round < 3; round++) {
            for (int at = 0; at < Events.KEPT; at++) {
                Connectors.LOG.info("{}", Event.of("started", "x".repeat(Events.WORDS + 1), "round " + round));
            }
            events.write();
        }
        Connectors.LOG.info("{}", Event.of("stopped", "last", "last"));
        events.write();
        assertTrue(kept().size() <= Events.KEPT + 1, kept().size() + " are kept");
        assertTrue(kept().stream().allMatch(event -> event.get("why").s().length() <= Events.WORDS));
        assertTrue(kept().stream().anyMatch(event -> event.get("why").s().equals("last")));
    }

    /** What cannot be written waits, and no more of it than are kept. */
    @Test
    void theyWaitForTheTable() {
        events.keepIn(table.own());
        table.lostAnswer = new IllegalStateException("throttled");
        Connectors.LOG.info("{}", Event.of("started", "on a", "started"));
        events.write();
        events.write();
        assertEquals(1, kept().size());
    }
}

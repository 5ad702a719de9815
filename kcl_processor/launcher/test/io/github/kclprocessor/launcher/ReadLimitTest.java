package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReadLimitTest {
    private final ReadLimit limit = new ReadLimit();
    private final List<Object> readers = Stream.generate(Object::new).limit(512).collect(Collectors.toList());

    private void busy(int from, int to, int records) {
        readers.subList(from, to).forEach(reader -> limit.read(reader, records));
    }

    /** Alone, or with a few others, a shard reads as much as it asks for. */
    @Test
    void aFewShardsReadAllThatThereIs() {
        assertEquals(1000, limit.of(1000));
        busy(0, 16, 1000);
        assertEquals(1000, limit.of(1000));
        assertEquals(300, limit.of(300));
    }

    /** Many share, down to what a partition can change in the time between two reads. */
    @Test
    void manyShardsShare() {
        busy(0, 32, 10);
        assertEquals(500, limit.of(1000));
        busy(32, 512, 10);
        assertEquals(250, limit.of(1000));
        assertEquals(100, limit.of(100));
    }

    /** Those that have caught up, or ended, leave the room to the others. */
    @Test
    void whoHasNothingToReadDoesNotCount() {
        busy(0, 512, 10);
        busy(8, 512, 0);
        assertEquals(1000, limit.of(1000));
    }
}

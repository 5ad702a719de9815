package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.StreamRecord;

class SourceStreamTest {
    private final FakeStream fake = new FakeStream();
    private final SourceStream stream = new SourceStream(fake, "arn");

    private Optional<String> oldestLeft(int emptyPages) {
        fake.asked.clear();
        fake.emptyLooks = emptyPages;
        fake.oldestLeft = GetRecordsResponse.builder()
                .records(record -> record.dynamodb(change -> change.sequenceNumber("117"))).build();
        return stream.oldestLeft("shardId-1").map(StreamRecord::sequenceNumber);
    }

    /** The oldest change that is left may stand behind a few pages that are empty; an open shard has no last one. */
    @Test
    void oldestLeftBehindEmptyPages() {
        assertEquals(Optional.of("117"), oldestLeft(0));
        assertEquals(Optional.of("117"), oldestLeft(SourceStream.EMPTY_PAGES - 1));
        assertEquals(Optional.empty(), oldestLeft(SourceStream.EMPTY_PAGES));
        assertEquals(SourceStream.EMPTY_PAGES, Collections.frequency(fake.asked, FakeStream.LOOK));
    }

    /** A shard that has ended with nothing in it is not read beyond its end. */
    @Test
    void nothingLeft() {
        assertEquals(Optional.empty(), stream.oldestLeft("shardId-1"));
        assertEquals(1, Collections.frequency(fake.asked, FakeStream.LOOK));
    }

    /** Many who ask at once whether a shard is listed share a list, which is of after they asked. */
    @Test
    void listIsShared() throws InterruptedException {
        List<Boolean> found = new CopyOnWriteArrayList<>();
        List<Thread> askers = Stream.generate(() -> new Thread(() -> found.add(stream.listing().holds("shardId-1"))))
                .limit(20).collect(Collectors.toList());
        fake.meanwhile = () -> {
            askers.forEach(Thread::start);
            while (askers.stream().anyMatch(asker -> asker.getState() != Thread.State.BLOCKED)) {
                Thread.onSpinWait();
            }
            // They see what is there behind the list that has begun before them.
            fake.meanwhile = () -> fake.shards = List.of(FakeStream.shard("shardId-1", null));
        };
        assertFalse(stream.listing().holds("shardId-1"));
        for (Thread asker : askers) {
            asker.join();
        }
        assertEquals(Collections.nCopies(20, true), found);
        assertEquals(2, fake.described);
        fake.shards = List.of();
        assertFalse(stream.listing().holds("shardId-1"));
    }
}

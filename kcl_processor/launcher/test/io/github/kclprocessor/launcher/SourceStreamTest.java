package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import java.util.Optional;
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
}

package io.github.kclprocessor.launcher;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.kinesis.model.EncryptionType;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * The records of one answer to GetRecords, each put together from the very bytes of the answer.
 *
 * <p>The adapter has the SDK turn both images of every record into objects and turns those into JSON
 * again. A record processor needs that JSON and nothing else, and of the images only the new one unless
 * rules need the old one, so here the answer is gone through once and nothing in an image is ever
 * converted. What comes out has the adapter's form: {@code eventName}, who changed the item if that was
 * not a user, and {@code dynamodb} with {@code Keys}, {@code NewImage}, {@code StreamViewType} and
 * {@code ApproximateCreationDateTime} in milliseconds.
 */
final class RawRecords {
    private static final JsonFactory JSON = new JsonFactory();

    private final byte[] answer;
    private final boolean oldImages;
    private final JsonParser parser;
    private final List<KinesisClientRecord> records = new ArrayList<>();
    private boolean complete;
    private String nextShardIterator;

    private RawRecords(byte[] answer, boolean oldImages) throws IOException {
        this.answer = answer;
        this.oldImages = oldImages;
        this.parser = JSON.createParser(answer);
    }

    /**
     * @param oldImages whether the records keep their old images
     * @throws IOException if the answer has not the form of a GetRecords answer
     */
    static RawRecords read(byte[] answer, boolean oldImages) throws IOException {
        RawRecords read = new RawRecords(answer, oldImages);
        try (JsonParser closing = read.parser) {
            read.expect(closing.nextToken(), JsonToken.START_OBJECT);
            for (String name; (name = closing.nextFieldName()) != null; ) {
                read.member(name);
            }
            read.expect(closing.currentToken(), JsonToken.END_OBJECT);
        }
        if (!read.complete) {
            throw new IOException("an answer without Records, which has them even if there are none");
        }
        return read;
    }

    List<KinesisClientRecord> records() {
        return records;
    }

    /** Null at the end of a shard. */
    String nextShardIterator() {
        return nextShardIterator;
    }

    private void member(String name) throws IOException {
        JsonToken value = parser.nextToken();
        if (name.equals("NextShardIterator")) {
            nextShardIterator = parser.getValueAsString();
        } else if (name.equals("Records")) {
            expect(value, JsonToken.START_ARRAY);
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                expect(parser.currentToken(), JsonToken.START_OBJECT);
                records.add(record());
            }
            complete = true;
        } else {
            parser.skipChildren();
        }
    }

    private KinesisClientRecord record() throws IOException {
        StreamRecord change = null;
        Slice event = null;
        Slice identity = null;
        for (String name; (name = parser.nextFieldName()) != null; ) {
            parser.nextToken();
            if (name.equals("dynamodb")) {
                change = streamRecord();
            } else if (name.equals("eventName")) {
                event = slice();
            } else if (name.equals("userIdentity")) {
                identity = slice();
            } else {
                parser.skipChildren();
            }
        }
        if (change == null || change.sequenceNumber == null || event == null) {
            throw new IOException("a record without its sequence number or its event");
        }
        return change.build(event, identity);
    }

    private StreamRecord streamRecord() throws IOException {
        StreamRecord change = new StreamRecord();
        for (String name; (name = parser.nextFieldName()) != null; ) {
            parser.nextToken();
            switch (name) {
                case "SequenceNumber":
                    change.sequenceNumber = parser.getValueAsString();
                    break;
                case "ApproximateCreationDateTime":
                    change.created = Instant.ofEpochMilli(Math.round(parser.getValueAsDouble() * 1000));
                    break;
                case "Keys":
                    change.keys = slice();
                    break;
                case "NewImage":
                    change.newImage = slice();
                    break;
                case "OldImage":
                    change.oldImage = oldImages ? slice() : skipped();
                    break;
                case "StreamViewType":
                    change.viewType = slice();
                    break;
                default:
                    parser.skipChildren();
            }
        }
        return change;
    }

    private Slice skipped() throws IOException {
        parser.skipChildren();
        return null;
    }

    private Slice slice() throws IOException {
        int start = (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        // Of a string, the parser reads past the opening quote until it is asked for the rest.
        parser.finishToken();
        return new Slice(start, (int) parser.currentLocation().getByteOffset());
    }

    private void expect(JsonToken found, JsonToken expected) throws IOException {
        if (found != expected) {
            throw new IOException("found " + found + " in place of " + expected);
        }
    }

    /** A value of the answer, by its place in it. */
    private static final class Slice {
        final int start;
        final int end;

        Slice(int start, int end) {
            this.start = start;
            this.end = end;
        }
    }

    private final class StreamRecord {
        String sequenceNumber;
        Instant created;
        Slice keys;
        Slice newImage;
        Slice oldImage;
        Slice viewType;

        KinesisClientRecord build(Slice event, Slice identity) {
            ByteArrayOutputStream data = new ByteArrayOutputStream(length(newImage) + length(oldImage) + 256);
            put(data, "{\"eventName\":", event);
            put(data, ",\"userIdentity\":", identity);
            put(data, ",\"dynamodb\":{\"ApproximateCreationDateTime\":" + (created == null ? 0 : created.toEpochMilli()));
            put(data, ",\"Keys\":", keys);
            put(data, ",\"NewImage\":", newImage);
            put(data, ",\"OldImage\":", oldImage);
            put(data, ",\"StreamViewType\":", viewType);
            put(data, "}}");
            return KinesisClientRecord.builder()
                    .sequenceNumber(sequenceNumber)
                    .partitionKey(sequenceNumber)
                    .approximateArrivalTimestamp(created)
                    .encryptionType(EncryptionType.NONE)
                    .data(ByteBuffer.wrap(data.toByteArray()))
                    .build();
        }

        private int length(Slice value) {
            return value == null ? 0 : value.end - value.start;
        }

        private void put(ByteArrayOutputStream data, String name, Slice value) {
            if (value != null) {
                put(data, name);
                data.write(answer, value.start, value.end - value.start);
            }
        }

        private void put(ByteArrayOutputStream data, String text) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            data.write(bytes, 0, bytes.length);
        }
    }
}

package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.InterceptorContext;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

class RawRecordsTest {
    private static final String IMAGE = "{\"pk\": {\"S\": \"gr\\u00fc\\\"ß 🚀\"}, \"n\": {\"N\":\"-1.50\"},"
            + " \"b\":{\"B\":\"AAE=\"}, \"l\" : {\"L\":[{\"NULL\":true},{\"M\":{}}]}, \"e\":{\"SS\":[\"]}\"]}}";
    private static final String ANSWER = "{\"NextShardIterator\": \"arn|1|x\", \"Unknown\":[{\"a\":[1]}], \"Records\":["
            + "{\"awsRegion\":\"eu-west-1\",\"dynamodb\":{\"ApproximateCreationDateTime\":1.5E9,"
            + "\"Keys\":{\"pk\":{\"S\":\"k\"}},\"NewImage\":" + IMAGE + ",\"OldImage\":" + IMAGE
            + ",\"SequenceNumber\":\"4421584500000000000000001\",\"SizeBytes\":9,"
            + "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"},\"eventName\":\"MODIFY\",\"userIdentity\":{\"type\":\"S\"}},"
            + "{\"eventName\":\"REMOVE\",\"dynamodb\":{\"SequenceNumber\":\"2\",\"Keys\":{\"pk\":{\"S\":\"k\"}}}}]}";

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String data(KinesisClientRecord record) {
        return new String(record.data().array(), StandardCharsets.UTF_8);
    }

    /** A record keeps the very characters of its new image, and its old image stays behind. */
    @Test
    void imagesAreNotTouched() throws IOException {
        KinesisClientRecord record = RawRecords.read(bytes(ANSWER), false).records().get(0);
        assertTrue(data(record).contains("\"NewImage\":" + IMAGE + ","), data(record));
        JsonNode read = new ObjectMapper().readTree(record.data().array());
        assertEquals("MODIFY", read.get("eventName").asText());
        assertEquals(1_500_000_000_000L, read.at("/dynamodb/ApproximateCreationDateTime").asLong());
        assertEquals("NEW_AND_OLD_IMAGES", read.at("/dynamodb/StreamViewType").asText());
        assertTrue(read.at("/dynamodb/OldImage").isMissingNode());
        assertEquals("4421584500000000000000001", record.sequenceNumber());
        assertEquals(1_500_000_000L, record.approximateArrivalTimestamp().getEpochSecond());
    }

    /** Where rules need it the old image stays, as untouched as the new one; who made the change always does. */
    @Test
    void whatRulesNeedStays() throws IOException {
        String kept = data(RawRecords.read(bytes(ANSWER), true).records().get(0));
        assertTrue(kept.contains(",\"OldImage\":" + IMAGE + ","), kept);
        assertTrue(kept.contains("\"userIdentity\":{\"type\":\"S\"}"), kept);
        assertTrue(data(RawRecords.read(bytes(ANSWER), false).records().get(0)).contains("userIdentity"));
    }

    /** A deletion has keys and no image; the end of a shard has no next iterator. */
    @Test
    void whatIsAbsentStaysAbsent() throws IOException {
        KinesisClientRecord record = RawRecords.read(bytes(ANSWER), false).records().get(1);
        assertEquals("{\"eventName\":\"REMOVE\",\"dynamodb\":{\"ApproximateCreationDateTime\":0,"
                + "\"Keys\":{\"pk\":{\"S\":\"k\"}}}}", data(record));
        assertNull(RawRecords.read(bytes("{\"Records\":[]}"), false).nextShardIterator());
        assertEquals("arn|1|x", RawRecords.read(bytes(ANSWER), false).nextShardIterator());
    }

    /** Nothing is guessed: a cut answer, or a record without its sequence number, is refused. */
    @Test
    void otherFormsAreRefused() {
        for (int length = 0; length < bytes(ANSWER).length; length += 7) {
            byte[] cut = java.util.Arrays.copyOf(bytes(ANSWER), length);
            assertThrows(IOException.class, () -> RawRecords.read(cut, false));
        }
        assertThrows(IOException.class, () -> RawRecords.read(bytes("[]"), false));
        assertThrows(IOException.class, () -> RawRecords.read(bytes("{}"), false));
        assertThrows(IOException.class, () -> RawRecords.read(bytes("{\"NextShardIterator\":\"arn|1|x\"}"), false));
        assertThrows(IOException.class,
                () -> RawRecords.read(bytes("{\"Records\":[{\"eventName\":\"REMOVE\",\"dynamodb\":{}}]}"), false));
    }

    /** What the SDK gets of a good answer has no records; of a damaged one it gets every byte. */
    @Test
    void damagedAnswersPassUnchanged() throws IOException {
        AtomicReference<RawRecords> read = new AtomicReference<>();
        assertEquals("{\"Records\":[]}", new String(pass(checksum(bytes(ANSWER)), read), StandardCharsets.UTF_8));
        assertEquals(2, read.get().records().size());
        AtomicReference<RawRecords> nothing = new AtomicReference<>();
        assertArrayEquals(bytes(ANSWER), pass(1, nothing));
        assertNull(nothing.get());
    }

    private static long checksum(byte[] body) {
        CRC32 sum = new CRC32();
        sum.update(body);
        return sum.getValue();
    }

    private static byte[] pass(long checksum, AtomicReference<RawRecords> into) throws IOException {
        GetRecordsRequest request = RawAnswers.ask(GetRecordsRequest.builder().build(), into);
        ExecutionAttributes attributes = request.overrideConfiguration().get().executionAttributes().toBuilder().build();
        SdkHttpResponse response = SdkHttpResponse.builder().statusCode(200)
                .putHeader("x-amz-crc32", String.valueOf(checksum)).build();
        InputStream body = new ByteArrayInputStream(bytes(ANSWER));
        InterceptorContext context = InterceptorContext.builder()
                .request(request).httpResponse(response).responseBody(body).build();
        RawAnswers answers = new RawAnswers(false);
        boolean checked = answers.modifyHttpResponse(context, attributes).firstMatchingHeader("x-amz-crc32").isPresent();
        assertEquals(into.get() == null, checked, "the SDK checks what it is left to read");
        return answers.modifyHttpResponseContent(context, attributes).get().readAllBytes();
    }
}

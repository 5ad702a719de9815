package io.github.kclprocessor.launcher;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttribute;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;

/**
 * Takes the records out of an answer to GetRecords before the SDK makes objects of them.
 *
 * <p>An answer that is not as expected (a failure, a wrong checksum, another form) passes unchanged,
 * and the SDK deals with it as ever.
 */
final class RawAnswers implements ExecutionInterceptor {
    private static final ExecutionAttribute<AtomicReference<RawRecords>> RECORDS =
            new ExecutionAttribute<>("kcl-processor.RawRecords");
    private static final ExecutionAttribute<byte[]> BODY = new ExecutionAttribute<>("kcl-processor.Body");
    private static final String CHECKSUM = "x-amz-crc32";
    private static final byte[] NO_RECORDS = "{\"Records\":[]}".getBytes(StandardCharsets.US_ASCII);

    private final boolean oldImages;

    /** @param oldImages whether the records keep their old images */
    RawAnswers(boolean oldImages) {
        this.oldImages = oldImages;
    }

    /** The request, whose records will go into {@code into} if this interceptor sees the answer. */
    static GetRecordsRequest ask(GetRecordsRequest request, AtomicReference<RawRecords> into) {
        return request.toBuilder()
                .overrideConfiguration(request.overrideConfiguration()
                        .map(AwsRequestOverrideConfiguration::toBuilder)
                        .orElseGet(AwsRequestOverrideConfiguration::builder)
                        .putExecutionAttribute(RECORDS, into)
                        .build())
                .build();
    }

    @Override
    public SdkHttpResponse modifyHttpResponse(Context.ModifyHttpResponse context, ExecutionAttributes attributes) {
        AtomicReference<RawRecords> into = attributes.getAttribute(RECORDS);
        SdkHttpResponse response = context.httpResponse();
        if (into == null || !response.isSuccessful() || !context.responseBody().isPresent()) {
            return response;
        }
        byte[] body = drain(context.responseBody().get());
        attributes.putAttribute(BODY, body);
        if (!isWhole(response, body)) {
            return response;
        }
        try {
            into.set(RawRecords.read(body, oldImages));
        } catch (IOException e) {
            return response;
        }
        attributes.putAttribute(BODY, NO_RECORDS);
        return response.toBuilder().removeHeader(CHECKSUM).removeHeader("Content-Length").build();
    }

    @Override
    public Optional<InputStream> modifyHttpResponseContent(
            Context.ModifyHttpResponse context, ExecutionAttributes attributes) {
        byte[] body = attributes.getAttribute(BODY);
        attributes.putAttribute(BODY, null);
        return body == null ? context.responseBody() : Optional.of(new ByteArrayInputStream(body));
    }

    private static byte[] drain(InputStream content) {
        try (InputStream closing = content) {
            return closing.readAllBytes();
        } catch (IOException e) {
            // The SDK tries again, as it does when it reads an answer itself.
            throw RetryableException.create("The answer to GetRecords broke off", e);
        }
    }

    private static boolean isWhole(SdkHttpResponse response, byte[] body) {
        if (response.firstMatchingHeader("Content-Encoding").isPresent()) {
            return false;
        }
        CRC32 sum = new CRC32();
        sum.update(body);
        return response.firstMatchingHeader(CHECKSUM).map(stated -> stated.equals(String.valueOf(sum.getValue())))
                .orElse(true);
    }
}

package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsGetRecordsResponseAdapter;
import java.time.Instant;
import java.util.List;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * A response that makes its records once; the adapter's own makes JSON of them at each of the three
 * calls that reading a batch makes. Where {@link RawRecords} were taken out of the answer, it is they.
 */
final class RememberedRecords extends DynamoDBStreamsGetRecordsResponseAdapter {
    private final RawRecords raw;
    private List<KinesisClientRecord> records;

    /** @param raw null if the response itself has the records */
    RememberedRecords(GetRecordsResponse response, RawRecords raw) {
        super(response);
        this.raw = raw;
    }

    @Override
    public synchronized List<KinesisClientRecord> records() {
        if (records == null) {
            records = raw == null ? super.records() : raw.records();
        }
        return records;
    }

    @Override
    public String nextShardIterator() {
        return raw == null ? super.nextShardIterator() : raw.nextShardIterator();
    }

    @Override
    public Long millisBehindLatest() {
        if (raw == null) {
            return super.millisBehindLatest();
        }
        int size = records().size();
        Instant created = size == 0 ? null : records().get(size - 1).approximateArrivalTimestamp();
        return created == null ? null : Math.max(0, System.currentTimeMillis() - created.toEpochMilli());
    }
}

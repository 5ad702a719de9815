package io.github.kclprocessor.launcher;

import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsGetRecordsResponseAdapter;
import java.util.List;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * A response that turns its records into JSON once; the adapter's own does so at each of the three
 * calls that reading a batch makes.
 */
final class RememberedRecords extends DynamoDBStreamsGetRecordsResponseAdapter {
    private List<KinesisClientRecord> records;

    RememberedRecords(GetRecordsResponse response) {
        super(response);
    }

    @Override
    public synchronized List<KinesisClientRecord> records() {
        if (records == null) {
            records = super.records();
        }
        return records;
    }
}

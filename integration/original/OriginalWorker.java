package original;

import com.amazonaws.auth.DefaultAWSCredentialsProviderChain;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDB;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBStreamsClientBuilder;
import com.amazonaws.services.dynamodbv2.model.StreamRecord;
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.RecordAdapter;
import com.amazonaws.services.kinesis.clientlibrary.exceptions.InvalidStateException;
import com.amazonaws.services.kinesis.clientlibrary.exceptions.ShutdownException;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import com.amazonaws.services.kinesis.metrics.impl.NullMetricsFactory;
import com.amazonaws.services.kinesis.model.Record;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The original library's worker: the KCL 1.x and the adapter that it is built with, under the names
 * and settings that its command line gives them, and with its flags.
 *
 * <p>It writes one record after the other, where the original has its own buffer and emitter: what
 * is under test is what KCL 1.x leaves behind when it is killed in a batch.
 */
public final class OriginalWorker {
  private final Map<String, String> flags;

  private OriginalWorker(Map<String, String> flags) {
    this.flags = flags;
  }

  /** Flags come in pairs, but for one without a value, which is obeyed whether it is there or not. */
  public static void main(String[] words) {
    Map<String, String> flags = new HashMap<>();
    for (int i = 0; i < words.length; i++) {
      if (!words[i].equals("--dontPublishCloudwatch")) {
        flags.put(words[i], words[++i]);
      }
    }
    new OriginalWorker(flags).worker().run();
  }

  private Worker worker() {
    String task = "DynamoDBCrossRegionReplication" + flags.get("--taskName");
    AmazonDynamoDB source = dynamodb("source");
    AmazonDynamoDB destination = dynamodb("destination");
    AmazonDynamoDBStreamsAdapterClient streams =
        new AmazonDynamoDBStreamsAdapterClient(
            AmazonDynamoDBStreamsClientBuilder.standard()
                .withEndpointConfiguration(endpoint("source"))
                .build());
    KinesisClientLibConfiguration settings =
        new KinesisClientLibConfiguration(
                task,
                source.describeTable(flags.get("--sourceTable")).getTable().getLatestStreamArn(),
                new DefaultAWSCredentialsProviderChain(),
                "worker" + task + UUID.randomUUID())
            .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
            .withMaxRecords(Integer.parseInt(flags.get("--batchSize")))
            .withIdleTimeBetweenReadsInMillis(500)
            .withValidateSequenceNumberBeforeCheckpointing(false)
            .withParentShardPollIntervalMillis(
                Long.parseLong(flags.get("--parentShardPollIntervalMillis")))
            .withFailoverTimeMillis(60_000);
    return new Worker.Builder()
        .recordProcessorFactory(() -> new Processor(destination, flags.get("--destinationTable")))
        .config(settings)
        .kinesisClient(streams)
        .dynamoDBClient(dynamodb("kcl"))
        .metricsFactory(new NullMetricsFactory())
        .build();
  }

  private AmazonDynamoDB dynamodb(String side) {
    return AmazonDynamoDBClientBuilder.standard()
        .withEndpointConfiguration(endpoint(side))
        .build();
  }

  private EndpointConfiguration endpoint(String side) {
    return new EndpointConfiguration(
        flags.get("--" + side + "Endpoint"), flags.get("--" + side + "Region"));
  }

  /** Writes a batch, then checkpoints its last record. */
  private static final class Processor implements IRecordProcessor {
    private final AmazonDynamoDB destination;
    private final String table;

    Processor(AmazonDynamoDB destination, String table) {
      this.destination = destination;
      this.table = table;
    }

    @Override
    public void initialize(InitializationInput input) {}

    @Override
    public void processRecords(ProcessRecordsInput input) {
      for (Record record : input.getRecords()) {
        StreamRecord change = ((RecordAdapter) record).getInternalObject().getDynamodb();
        if (change.getNewImage() == null) {
          destination.deleteItem(table, change.getKeys());
        } else {
          destination.putItem(table, change.getNewImage());
        }
      }
      if (!input.getRecords().isEmpty()) {
        checkpoint(input.getCheckpointer());
      }
    }

    @Override
    public void shutdown(ShutdownInput input) {
      if (input.getShutdownReason() == ShutdownReason.TERMINATE) {
        checkpoint(input.getCheckpointer());
      }
    }

    private static void checkpoint(IRecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
      } catch (InvalidStateException | ShutdownException error) {
        throw new IllegalStateException(error);
      }
    }
  }
}

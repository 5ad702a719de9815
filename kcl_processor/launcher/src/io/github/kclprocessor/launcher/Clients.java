package io.github.kclprocessor.launcher;

import java.time.Duration;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.internal.retry.SdkDefaultRetryStrategy;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClientBuilder;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClientBuilder;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClientBuilder;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;

/** Builds the AWS clients whose region, endpoint or credentials differ from the lease table's. */
final class Clients {
    private static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(20);

    private Clients() {}

    static DynamoDbStreamsClient streams(ReplicaProperties replica, AwsCredentialsProvider credentials) {
        ClientOverrideConfiguration.Builder override = patient()
                .addExecutionInterceptor(new RawAnswers(replica.oldImages()))
                .addExecutionInterceptor(new StrangeAnswers());
        StreamArn arn = replica.streamArn();
        if (!arn.isKnownToAdapter()) {
            override.addExecutionInterceptor(new ArnInterceptor(arn));
        }
        DynamoDbStreamsClientBuilder builder = DynamoDbStreamsClient.builder()
                .region(replica.sourceRegion())
                .credentialsProvider(credentials)
                .overrideConfiguration(override.build());
        replica.streamsEndpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    private static ClientOverrideConfiguration.Builder patient() {
        return ClientOverrideConfiguration.builder()
                // A connection that went dead in silence must not hold a shard for longer.
                .apiCallAttemptTimeout(ATTEMPT_TIMEOUT)
                .retryStrategy(retries());
    }

    /** The attempts and pauses that the adapter's own client uses. */
    private static StandardRetryStrategy retries() {
        BackoffStrategy backoff = BackoffStrategy.exponentialDelay(Duration.ofMillis(100), Duration.ofSeconds(10));
        return SdkDefaultRetryStrategy.standardRetryStrategy().toBuilder()
                .maxAttempts(10)
                .backoffStrategy(backoff)
                .throttlingBackoffStrategy(backoff)
                .build();
    }

    static DynamoDbClient destination(ReplicaProperties replica, Region region, AwsCredentialsProvider credentials) {
        DynamoDbClientBuilder builder = DynamoDbClient.builder()
                .region(region)
                .credentialsProvider(credentials)
                .overrideConfiguration(patient().build());
        replica.destinationEndpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    /** @param defaults credentials where the file names none for metrics */
    static CloudWatchAsyncClient metrics(ReplicaProperties replica, AwsCredentialsProvider defaults) {
        Region sts = replica.metricsRegion().orElseGet(replica::kclRegion);
        CloudWatchAsyncClientBuilder builder = CloudWatchAsyncClient.builder()
                .credentialsProvider(replica.access("metrics").credentials(sts, defaults));
        replica.metricsEndpoint().ifPresent(builder::endpointOverride);
        replica.metricsRegion().ifPresent(builder::region);
        return builder.build();
    }

    /** One that sees the alarms of a region, and gives up when a look at one has to be over. */
    static CloudWatchClient alarms(Region region, AwsCredentialsProvider credentials) {
        return CloudWatchClient.builder()
                .region(region)
                .credentialsProvider(credentials)
                .overrideConfiguration(override -> override.apiCallTimeout(Throttle.LONGEST))
                .build();
    }

    /**
     * Has the KCL's own client of its tables sign as the file says; where it says nothing, the KCL goes by its
     * own properties.
     */
    static void kcl(
            ReplicaProperties replica, MultiLangDaemonConfiguration kcl, AwsCredentialsProvider defaults) {
        Access access = replica.access("kcl");
        if (!access.isDefault()) {
            kcl.getDynamoDbClient().set("credentialsProvider", access.credentials(replica.kclRegion(), defaults));
        }
    }
}

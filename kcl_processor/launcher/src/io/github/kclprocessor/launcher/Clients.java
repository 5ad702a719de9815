package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.internal.retry.SdkDefaultRetryStrategy;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClientBuilder;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClientBuilder;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClientBuilder;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;
import software.amazon.awssdk.services.sts.model.AssumeRoleRequest;

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

    /** Of the destination, with its own credentials. */
    static DynamoDbClient destination(ReplicaProperties replica, Region region, AwsCredentialsProvider base) {
        DynamoDbClientBuilder builder = DynamoDbClient.builder()
                .region(region)
                .credentialsProvider(
                        assumed(replica.destinationRoleArn(), replica.destinationExternalId(), region, base))
                .overrideConfiguration(patient().build());
        replica.destinationEndpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    /** The source role if one is named, renewed before it expires; else {@code base}. */
    static AwsCredentialsProvider sourceCredentials(ReplicaProperties replica, AwsCredentialsProvider base) {
        return assumed(replica.sourceRoleArn(), replica.sourceExternalId(), replica.sourceRegion(), base);
    }

    private static AwsCredentialsProvider assumed(
            Optional<String> role, Optional<String> externalId, Region region, AwsCredentialsProvider base) {
        if (!role.isPresent()) {
            return base;
        }
        AssumeRoleRequest.Builder request = AssumeRoleRequest.builder()
                .roleArn(role.get())
                .roleSessionName("kcl-processor");
        externalId.ifPresent(request::externalId);
        return StsAssumeRoleCredentialsProvider.builder()
                .stsClient(StsClient.builder().region(region).credentialsProvider(base).build())
                .refreshRequest(request.build())
                .asyncCredentialUpdateEnabled(true)
                .build();
    }

    static CloudWatchAsyncClient metrics(ReplicaProperties replica, AwsCredentialsProvider credentials) {
        CloudWatchAsyncClientBuilder builder = CloudWatchAsyncClient.builder().credentialsProvider(credentials);
        replica.metricsEndpoint().ifPresent(builder::endpointOverride);
        replica.metricsRegion().ifPresent(builder::region);
        return builder.build();
    }
}

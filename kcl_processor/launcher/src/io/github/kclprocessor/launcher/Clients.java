package io.github.kclprocessor.launcher;

import java.time.Duration;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.internal.retry.SdkDefaultRetryStrategy;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClientBuilder;
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
        ClientOverrideConfiguration.Builder override = ClientOverrideConfiguration.builder()
                // A connection that went dead in silence must not hold a shard for longer.
                .apiCallAttemptTimeout(ATTEMPT_TIMEOUT)
                .retryStrategy(retries())
                .addExecutionInterceptor(new RawAnswers());
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

    /** The attempts and pauses that the adapter's own client uses. */
    private static StandardRetryStrategy retries() {
        BackoffStrategy backoff = BackoffStrategy.exponentialDelay(Duration.ofMillis(100), Duration.ofSeconds(10));
        return SdkDefaultRetryStrategy.standardRetryStrategy().toBuilder()
                .maxAttempts(10)
                .backoffStrategy(backoff)
                .throttlingBackoffStrategy(backoff)
                .build();
    }

    /** The source role if one is named, renewed before it expires; else {@code base}. */
    static AwsCredentialsProvider sourceCredentials(ReplicaProperties replica, AwsCredentialsProvider base) {
        if (!replica.sourceRoleArn().isPresent()) {
            return base;
        }
        AssumeRoleRequest.Builder request = AssumeRoleRequest.builder()
                .roleArn(replica.sourceRoleArn().get())
                .roleSessionName("kcl-processor");
        replica.sourceExternalId().ifPresent(request::externalId);
        return StsAssumeRoleCredentialsProvider.builder()
                .stsClient(StsClient.builder().region(replica.sourceRegion()).credentialsProvider(base).build())
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

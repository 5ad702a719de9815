package io.github.kclprocessor.launcher;

import static io.github.kclprocessor.launcher.Kept.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProviderChain;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leader.ShortLeaderLock;
import software.amazon.kinesis.metrics.CloudWatchMetricsFactory;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

class StreamsMultiLangDaemonTest {
    private static final String PROPERTIES = String.join("\n",
            "executableName = true",
            "applicationName = task",
            "streamName = arn:aws:dynamodb:ddblocal:000000000000:table/t/stream/2026-01-01T00:00:00.000",
            "workerId = host-1",
            "regionName = eu-west-1",
            "dynamoDBEndpoint = http://127.0.0.1:1",
            "AwsCredentialsProvider = AnonymousCredentialsProvider",
            "maxRecords = 77",
            "idleTimeBetweenReadsInMillis = 201",
            "replica.task = ours, which the KCL passes over",
            "");

    @TempDir
    Path folder;

    private StreamsMultiLangDaemon daemon(String... more) throws IOException {
        Path file = folder.resolve("task.properties");
        Files.writeString(file, PROPERTIES + String.join("\n", more));
        return new StreamsMultiLangDaemon(file, new Ending(System.err));
    }

    private static Scheduler scheduler(StreamsMultiLangDaemon daemon) throws IOException {
        return daemon.buildScheduler(DynamoDbStreamsClient.builder()
                .region(Region.US_EAST_1).credentialsProvider(AnonymousCredentialsProvider.create()).build());
    }

    private static Object heartbeatMillis(Scheduler scheduler) throws ReflectiveOperationException {
        Object components = read(scheduler, "migrationComponentsInitializer");
        Object lock = ((Supplier<?>) read(components, "ddbLockBasedLeaderDeciderCreator")).get();
        return read(lock, "heartbeatPeriodMillis");
    }

    /** The KCL's own polling properties reach the adapter's polling. */
    @Test
    void pollingProperties() throws Exception {
        PollingConfig polling = (PollingConfig) scheduler(daemon()).retrievalConfig().retrievalSpecificConfig();
        assertEquals(77, polling.maxRecords());
        assertEquals(201,
                ((com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig) polling)
                        .idleTimeBetweenReadsInMillis());
    }

    /** Idle shards have deliveries, too, whatever the file says. */
    @Test
    void emptyDeliveries() throws Exception {
        assertTrue(scheduler(daemon()).processorConfig().callProcessRecordsEvenForEmptyRecordList());
    }

    /** Shard syncs do not sleep, and neither does the loop over shards beside the pause that a task's end ends. */
    @Test
    void coordination() throws Exception {
        Scheduler scheduler = scheduler(daemon());
        assertEquals(0, scheduler.leaseManagementConfig().shardSyncIntervalMillis());
        assertEquals(0, scheduler.coordinatorConfig().shardConsumerDispatchPollIntervalMillis());
        assertInstanceOf(LookPause.class, scheduler.lifecycleConfig().taskExecutionListener());
    }

    /** The pauses that settings ask for: between two rounds of assignment, looks at a parent, reads of a quiet shard. */
    @Test
    void pauses() throws Exception {
        assertEquals(List.of(Duration.ofMinutes(5), Duration.ofMinutes(2), Duration.ofMinutes(1)),
                StreamsMultiLangDaemon.pauses(scheduler(daemon("leaseAssignmentIntervalMillis = 300000",
                        "parentShardPollIntervalMillis = 120000", "idleTimeBetweenReadsInMillis = 30000"))));
    }

    /** A lease that is renewed late is not let go for it. */
    @Test
    void steadyRenewal() throws Exception {
        Object renewer = read(scheduler(daemon("failoverTimeMillis = 10000")).leaseCoordinator(), "leaseRenewer");
        assertEquals(60_000_000_000L, read(renewer, "leaseDurationNanos"));
    }

    /** A live worker's shard goes to another by a hand-over only; an assignment would leave it two writers. */
    @Test
    void handOver() throws Exception {
        assertTrue(scheduler(daemon()).leaseManagementConfig().gracefulLeaseHandoffConfig()
                .isGracefulLeaseHandoffEnabled());
    }

    /** Metrics that are off have no factory that could send any. */
    @Test
    void metrics() throws Exception {
        assertInstanceOf(NullMetricsFactory.class,
                scheduler(daemon("replica.metrics.publish = false")).metricsFactory());
        assertInstanceOf(CloudWatchMetricsFactory.class, scheduler(daemon(
                "replica.metrics.endpoint = http://127.0.0.1:1", "replica.metrics.region = eu-west-2")).metricsFactory());
    }

    /** The KCL's own client signs as the file says of its tables, and otherwise by the KCL's property. */
    @Test
    void credentialsOfTheTables() throws Exception {
        assertInstanceOf(AwsCredentialsProviderChain.class, signer(daemon()));
        assertInstanceOf(FollowedCredentials.class, signer(daemon("replica.kcl.profile = store")));
    }

    private static Object signer(StreamsMultiLangDaemon daemon) throws IOException {
        return scheduler(daemon).leaseManagementConfig().dynamoDBClient().serviceClientConfiguration()
                .credentialsProvider();
    }

    /** The leader's lock is held for twelve seconds: its heart beats four times within them. */
    @Test
    void leaderLockIsShortened() throws Exception {
        assertEquals(3000L, heartbeatMillis(scheduler(daemon())));
    }

    /** The rounds in which shards are assigned are counted. */
    @Test
    void assignmentRounds() throws Exception {
        Object components = read(scheduler(daemon()), "migrationComponentsInitializer");
        assertInstanceOf(AssignmentRounds.class, read(components, "lamThreadPool"));
    }

    /** A scheduler that keeps its lock elsewhere keeps it as it is. */
    @Test
    void leaderLockOfAnotherKcl() {
        assertFalse(ShortLeaderLock.install(new Object()));
    }

    /** A word that the launcher does not know stops it before it has a scheduler. */
    @Test
    void badWord() throws Exception {
        StreamsMultiLangDaemon daemon = daemon("replica.onGap = fail");
        assertThrows(IllegalArgumentException.class, () -> scheduler(daemon));
    }

    /** The command line is the MultiLangDaemon's, and names what it cannot read. */
    @Test
    void arguments() throws Exception {
        Path file = Files.createFile(folder.resolve("task.properties"));
        Arguments arguments = Arguments.parse("--properties-file", file.toString());
        assertEquals(file, arguments.properties());
        assertEquals("logback.xml", arguments.logConfiguration());
        assertThrows(IllegalArgumentException.class, () -> Arguments.parse("--nonsense"));
        Arguments missing = Arguments.parse("-p", file.toString(), "-l", "/nowhere.xml");
        assertEquals("cannot read /nowhere.xml",
                assertThrows(IllegalArgumentException.class, missing::logConfiguration).getMessage());
    }
}

package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.LoggerContext;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsConsumerTaskFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsSchedulerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.PromptScheduler;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.coordinator.ShardSyncs;
import software.amazon.kinesis.coordinator.WorkerStateChangeListener;
import software.amazon.kinesis.leader.ShortLeaderLock;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.metrics.CloudWatchMetricsFactory;
import software.amazon.kinesis.metrics.MetricsConfig;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.multilang.ForkedShardProcessor;
import software.amazon.kinesis.multilang.MultiLangDaemonConfig;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;
import software.amazon.kinesis.multilang.config.ResolvedConfigs;
import software.amazon.kinesis.multilang.config.RetrievalMode;
import software.amazon.kinesis.processor.ShardRecordProcessorFactory;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * The KCL's MultiLangDaemon for a DynamoDB stream.
 *
 * <p>{@code MultiLangDaemon} builds a scheduler for Kinesis, and the DynamoDB Streams adapter has the
 * parts of one for streams but no daemon: this joins the two. The properties file has the KCL's keys
 * and those of {@link ReplicaProperties}.
 */
public final class StreamsMultiLangDaemon {
    private static final int PREFETCHED_BYTES = 1 << 20;
    /** The share of a stop's grace for batches to be written; what is on its way then has ten seconds more. */
    private static final int LAST_BATCHES = 3;
    private static final Duration HANDOVER_LOOKS = Duration.ofSeconds(1);
    private static final Duration REPORTS = Duration.ofMillis(250);
    private static final Duration HUNG_START = Duration.ofMinutes(1);
    /** Twice the time that a record processor may outlive its daemon (replicate/work.py). */
    private static final Duration PREDECESSORS = Duration.ofSeconds(30);

    private final ExitStatus status = new ExitStatus();
    private final Set<ShardProcessor> open = ConcurrentHashMap.newKeySet();
    /** The processors are made before the scheduler that they ask for leases. */
    private final AtomicReference<Scheduler> built = new AtomicReference<>();
    private final SignsOfLife signs = new SignsOfLife();
    private final Pauses pauses = new Pauses();
    private final UntoldGaps untold = new UntoldGaps();
    private final WriteAccount account = new WriteAccount(System::nanoTime);
    private final AssignmentRounds assignments = new AssignmentRounds();
    private final PromptSync childless = new PromptSync(() -> ShardSyncs.now(built.get()));

    private final ReplicaProperties replica;
    private final MultiLangDaemonConfig multiLang;
    private final MultiLangDaemonConfiguration kcl;
    private final Handover handover;
    private final Limits limits;
    private final Ending ending;
    private final Events events;
    private final Optional<Destination> destination;
    private final Throttle throttle;
    /** Kept for as long as the daemon lives. */
    private WorkerLock lock;
    private Presence presence;
    private Optional<Claim> claim = Optional.empty();
    private OwnRows rows;
    /** Null where the destination is not known, and until the daemon runs. */
    private volatile DestinationWatch watch;
    /** Whether there is something to stop. */
    private volatile boolean begun;

    StreamsMultiLangDaemon(Path properties, Ending ending) throws IOException {
        this.ending = ending;
        replica = ReplicaProperties.read(properties);
        multiLang = new MultiLangDaemonConfig(properties.toString());
        kcl = multiLang.getMultiLangDaemonConfiguration();
        Clients.kcl(replica, kcl, credentials());
        String worker = kcl.getWorkerIdentifier();
        limits = new Limits(worker, account, System::nanoTime);
        events = new Events(worker);
        handover = new Handover(this::leases,
                () -> WorkerReports.others(built.get(), worker, failover(built.get())),
                leaves -> WorkerReports.remove(built.get(), leaves), worker, status::stopping);
        destination = Destination.of(replica, credentials());
        throttle = new Throttle(replica.throttle(region -> Clients.alarms(
                region, replica.access("destination").credentials(region, credentials()))), System::nanoTime);
    }

    public static void main(String[] args) {
        Ending ending = new Ending(System.err);
        try {
            Arguments arguments = Arguments.parse(args);
            // Before the first logger exists, so that no other configuration opens its files.
            System.setProperty("logback.configurationFile", arguments.logConfiguration());
            ReplicaProperties replica = ReplicaProperties.read(arguments.properties());
            AwsSettings.apply(System.getenv(), System.getProperties(), replica);
            System.setErr(new QuietStderr(System.err));
            ending.listen(replica.endingFile());
            Shutdown.installForTheStart(ending, Runtime.getRuntime()::halt);
            new StreamsMultiLangDaemon(arguments.properties(), ending).run();
        } catch (Exception e) {
            System.exit(ending.ofStart(e));
        }
    }

    private void run() throws Exception {
        events.listen();
        ending.last(events::writeLast);
        takeLock();
        hearChildExits();
        DynamoDbStreamsClient streams = Clients.streams(
                replica, replica.access("source").credentials(replica.sourceRegion(), credentials()));
        Scheduler scheduler = buildScheduler(streams);
        Place place = lock == null ? Place.unknown() : Place.of(lock.file);
        OnceRenewed.take(() -> enter(scheduler, streams, place), Thread::sleep, System::nanoTime);
        Connectors.LOG.info("{}", Event.of("started", "on " + place.host,
                "started as " + kcl.getWorkerIdentifier() + " on " + replica.streamArn().real));
        new Shutdown(status, () -> stop(scheduler), () -> letGo(scheduler), open, replica.shutdownGrace(),
                ending, Runtime.getRuntime()::halt).install(Runtime.getRuntime());
        begun = true;
        presence.start(this::end);
        pauses.start();
        limits.start();
        throttle.start();
        events.begin();
        ShardSyncs.first(scheduler);
        handover.finishLast();
        Rounds.every(HANDOVER_LOOKS, "handovers", () -> handover.finishWaiting(this::isOpen));
        childless.start();
        claim.ifPresent(first -> {
            watch = new DestinationWatch(first, () -> claim().get(), () -> rows.read(Claim.KEY), this::end);
            watch.start();
        });
        new StreamWatch(stream(streams), scheduler.leaseRefresher()::listLeases, gaps()).start();
        new UnreadWatch(kcl.getWorkerIdentifier(), scheduler.leaseRefresher(), stream(streams), signs, assignments,
                UnreadWatch.patience(replica.unread(), failover(scheduler), pauses(scheduler)), status::ending,
                () -> end(ExitStatus.CRASH)).start();
        Healer.start(replica.task(), status::ending);
        ClassArchive.makeLater();
        scheduler.run();
        System.exit(ExitStatus.CRASH);
    }

    /**
     * Makes sure that this daemon may start, and takes its worker's row: not before, for a copy that is at work
     * takes the row for a daemon; and then looks for a copy again, that has begun in between.
     */
    private void enter(Scheduler scheduler, DynamoDbStreamsClient streams, Place place) throws Exception {
        lookAtStream(streams);
        rows = OwnRows.of(scheduler);
        events.keepIn(rows);
        presence = new Presence(rows, kcl.getWorkerIdentifier(), place, failover(scheduler),
                () -> leases().getAssignments(), throttle::told);
        claim = claim();
        boolean started = Ownership.look(
                rows, scheduler.leaseRefresher(), replica.task(), stream(streams), claim);
        presence.enter(Thread::sleep);
        try {
            pauses.begin(rows);
            limits.begin(rows);
            CopyMark.refuse(rows, replica.task(), started, Instant.now());
        } catch (RuntimeException e) {
            limits.leave();
            presence.leave();
            throw e;
        }
    }

    private static Duration failover(Scheduler scheduler) {
        return Duration.ofMillis(scheduler.leaseManagementConfig().failoverTimeMillis());
    }

    /** The longest pauses that settings ask for: between rounds of assignment, looks at a parent, reads of a shard. */
    static List<Duration> pauses(Scheduler scheduler) {
        DynamoDBStreamsPollingConfig polling =
                (DynamoDBStreamsPollingConfig) scheduler.retrievalConfig().retrievalSpecificConfig();
        return Stream.of(scheduler.leaseManagementConfig().leaseAssignmentIntervalMillis(),
                        scheduler.coordinatorConfig().parentShardPollIntervalMillis(),
                        ReadPace.longestMillis(polling.idleTimeBetweenReadsInMillis()))
                .map(Duration::ofMillis).collect(Collectors.toList());
    }

    /** This replica, with its destination as it is now. */
    private Optional<Claim> claim() {
        return destination.map(
                table -> new Claim(replica.task(), replica.streamArn().real, table.describe(), replica.rules()));
    }

    /** Before anything of this worker's is touched. */
    private void takeLock() throws IOException, InterruptedException {
        if (replica.lock().isPresent()) {
            lock = WorkerLock.take(replica.lock().get(), kcl.getWorkerIdentifier());
            lock.awaitPredecessors(PREDECESSORS);
        }
    }

    private Future<Boolean> stop(Scheduler scheduler) {
        return scheduler.startGracefulShutdown().whenComplete((done, failure) -> {
            // While one is open, its process may still write.
            if (open.isEmpty()) {
                handover.releaseRest();
                limits.leave();
                presence.leave();
            }
        });
    }

    private boolean isOpen(String shard) {
        return open.stream().anyMatch(processor -> shard.equals(processor.shardId()));
    }

    /** Where the scheduler does not come to its end by itself. */
    private void letGo(Scheduler scheduler) {
        scheduler.shutdown();
        handover.releaseRest();
    }

    private void hearChildExits() {
        ((LoggerContext) LoggerFactory.getILoggerFactory()).addTurboFilter(new ChildExitFilter(status));
    }

    /** Asks once before the adapter does, which hides a refusal behind fifty silent retries. */
    private void lookAtStream(DynamoDbStreamsClient streams) {
        streams.describeStream(request -> request.streamArn(replica.streamArn().forAdapter()).limit(1));
    }

    private AwsCredentialsProvider credentials() {
        AwsCredentialsProvider named = kcl.getKinesisCredentialsProvider().build(AwsCredentialsProvider.class);
        return named == null ? new FollowedCredentials() : named;
    }

    Scheduler buildScheduler(DynamoDbStreamsClient streams) throws IOException {
        // The adapter polls; fan-out, the KCL's default, exists for Kinesis only.
        kcl.setRetrievalMode(RetrievalMode.POLLING);
        ResolvedConfigs configs = new ResolvedConfigs(kcl, processors());
        SourceStream stream = stream(streams);
        Begins begins = new Begins(stream, configs.leases.dynamoDBClient(), configs.leases.tableName());
        GapGuard guard = new GapGuard(streams, replica.sourceRegion(), stream, gaps(), untold,
                new Denials(this::end, System::nanoTime), begins, signs, childless::ask);
        configureRetrieval(configs, guard);
        configureCoordination(configs);
        configureLeases(configs, guard, begins, stream);
        configureMetrics(configs.metrics);
        // An idle shard is told from a silent one by its empty deliveries.
        configs.processor.callProcessRecordsEvenForEmptyRecordList(true);
        // As the adapter's StreamsSchedulerFactory does it, which has no place for other leases.
        Scheduler scheduler = new PromptScheduler(configs);
        built.set(scheduler);
        ShortLeaderLock.install(scheduler);
        assignments.install(scheduler);
        MovingReports.install(scheduler);
        return scheduler;
    }

    private SourceStream stream(DynamoDbStreamsClient streams) {
        return new SourceStream(streams, replica.streamArn().forAdapter());
    }

    private Gaps gaps() {
        return new Gaps(replica.continueOnGap(), replica.gapFile(), replica.task(), this::end);
    }

    ShardRecordProcessorFactory processors() throws IOException {
        StartGate gate = new StartGate(Runtime.getRuntime().availableProcessors(), this::startsNone, HUNG_START);
        ShardRecordProcessorFactory children = children();
        Outlet outlet = new Outlet(pauses, throttle, account, status::ending);
        Duration lastBatches = replica.shutdownGrace().dividedBy(LAST_BATCHES);
        return () -> new ShardProcessor(children.shardRecordProcessor(), this::leases, open, handover, gate, signs,
                outlet, untold, () -> status.endingFor(lastBatches));
    }

    private boolean startsNone() {
        return status.ending() || (watch != null && watch.isTakenOver());
    }

    /** Forked where there is a server for it, and started one by one where there is none. */
    private ShardRecordProcessorFactory children() throws IOException {
        if (replica.forkServer().isEmpty()) {
            return multiLang.getRecordProcessorFactory();
        }
        ForkServer forks = new ForkServer(
                List.of(replica.forkServer().get().split(" +")), replica.lock().map(Path::getParent),
                ChildLines::write, this::forksEnded, account::report);
        Rounds.every(REPORTS, "write units", () -> {
            if (account.isLimited()) {
                forks.askConsumed();
            }
        });
        return () -> new ForkedShardProcessor(forks, new InTurn(), kcl);
    }

    private void forksEnded(int code) {
        if (!status.ending()) {
            Connectors.LOG.error("the record processors' server ended {}, and with it the daemon",
                    ChildExitFilter.how(code));
            status.childEnded(code);
            if (!begun) {
                // What says this code at a stop is not installed yet.
                ending.tell(status.code(false), "not started", Long.MAX_VALUE);
                Runtime.getRuntime().halt(status.code(false));
            }
            System.exit(ExitStatus.CRASH);
        }
    }

    private LeaseCoordinator leases() {
        return built.get().leaseCoordinator();
    }

    void configureRetrieval(ResolvedConfigs configs, GapGuard guard) {
        PollingConfig asked = (PollingConfig) configs.retrieval.retrievalSpecificConfig();
        DynamoDBStreamsPollingConfig polling = new DynamoDBStreamsPollingConfig(guard);
        polling.maxRecords(asked.maxRecords());
        polling.idleTimeBetweenReadsInMillis(asked.idleTimeBetweenReadsInMillis());
        ReadLimit limit = new ReadLimit();
        polling.dataFetcherProvider(shard -> new ShardReads(guard, shard, limit));
        polling.sleepTimeController(new ReadPace());
        polling.recordsFetcherFactory(new PromptPublishers());
        // Per shard: two answers ready while a third is written, where the KCL would hold 8 MB.
        polling.recordsFetcherFactory().maxByteSize(PREFETCHED_BYTES);
        configs.retrieval.retrievalSpecificConfig(polling);
        InitialPositionInStream position = kcl.getInitialPositionInStream();
        configs.retrieval.streamTracker(StreamsSchedulerFactory.createSingleStreamTracker(
                replica.streamArn().forAdapter(),
                InitialPositionInStreamExtended.newInitialPosition(
                        position == null ? InitialPositionInStream.TRIM_HORIZON : position)));
    }

    void configureCoordination(ResolvedConfigs configs) {
        configs.coordinator
                .skipShardSyncAtWorkerInitializationIfLeasesExist(true)
                .workerStateChangeListener(new InitializationFailure());
    }

    /** The adapter's lease management; it copies the configuration, which has to be complete. */
    void configureLeases(ResolvedConfigs configs, GapGuard guard, Begins begins, SourceStream stream) {
        configs.leases
                // A shard sync sleeps for so long, and the KCL's default is a minute.
                .shardSyncIntervalMillis(0)
                // The audit looks for holes in the shards' hash ranges, of which a DynamoDB stream has none.
                .leasesRecoveryAuditorInconsistencyConfidenceThreshold(0)
                .consumerTaskFactory(new DynamoDBStreamsConsumerTaskFactory());
        configs.leases.leaseManagementFactory(
                new StreamsLeases(guard, configs.leases, configs.retrieval, begins, status::ending,
                        assignments::soon, stream, gaps()));
    }

    void configureMetrics(MetricsConfig metrics) {
        if (!replica.publishMetrics()) {
            metrics.metricsFactory(new NullMetricsFactory());
        } else if (replica.metricsEndpoint().isPresent() || replica.metricsRegion().isPresent()
                || !replica.access("metrics").isDefault()) {
            metrics.metricsFactory(new CloudWatchMetricsFactory(
                    Clients.metrics(replica, credentials()), metrics.namespace(), metrics.metricsBufferTimeMillis(),
                    metrics.metricsMaxQueueSize(), metrics.metricsLevel(), metrics.metricsEnabledDimensions(),
                    metrics.publisherFlushBuffer()));
        }
    }

    private void end(Refused reason) {
        String words = reason.getMessage();
        Connectors.LOG.error("{}", Event.of("failed", words, "The daemon ends: " + words));
        end(reason.exitCode);
    }

    private void end(int code) {
        status.fail(code);
        System.exit(code);
    }

    /** The KCL ends its loop when it cannot initialize, as if all were done. */
    private final class InitializationFailure implements WorkerStateChangeListener {
        @Override
        public void onWorkerStateChange(WorkerState state) {}

        @Override
        public void onAllInitializationAttemptsFailed(Throwable thrown) {
            Connectors.LOG.error("The KCL cannot initialize: {}", String.valueOf(thrown), thrown);
            status.fail(Trouble.exitCode(thrown));
        }
    }
}

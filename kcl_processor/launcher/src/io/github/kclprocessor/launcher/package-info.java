/**
 * The KCL's MultiLangDaemon on a DynamoDB stream: the classes in the order in which a record meets them.
 *
 * <h2>Before the first record</h2>
 *
 * <ul>
 *   <li>{@link StreamsMultiLangDaemon} reads {@link Arguments} and {@link ReplicaProperties}, applies
 *       {@link AwsSettings}, asks once for the stream and builds the KCL's scheduler;
 *   <li>{@link WorkerLock} makes it its worker's only daemon on this host, once all record processors of an
 *       earlier one have ended; what it does not start over is {@link Refused};
 *   <li>{@link Presence} shows that it lives, to a daemon of the same worker id in another {@link Place};
 *       {@link OnceRenewed} waits for credentials that are refused;
 *   <li>{@link Ownership} looks at the {@link OwnRows} beside the KCL's state: whose the checkpoints are, by the
 *       {@link Claim}, whether the copy before them is whole, by the {@link CopyMark}, and whether the writers
 *       have moved, by the {@link SwitchMark}; of the {@link Destination} a {@link DestinationWatch} makes sure that it stays the same table;
 *   <li>{@link ClassArchive} makes the next start shorter, and the {@link Healer} keeps beside it who heals gaps;
 *   <li>{@link Clients} makes the AWS clients; {@link StreamArn} and {@link ArnInterceptor} give the
 *       adapter a stream's ARN in the form that it accepts;
 *   <li>all clients, the KCL's among them, have their HTTP from {@link BlockingHttp} or {@link AsyncHttp}:
 *       {@link Ways} gives each request the {@link Proxy} that {@link Proxies} choose, and
 *       {@link CaBundle} says whom to trust, from the environment or the {@link Profile};
 *   <li>each signs as the {@link Access} of its section says, with {@link FollowedCredentials}, and
 *       {@link RefusedKeys} tells those when they are refused.
 * </ul>
 *
 * <h2>From the stream</h2>
 *
 * <ol>
 *   <li>{@link StreamsLeases} manage the shards' leases for the adapter, on a {@link LeaseTable} without the
 *       answers on which this KCL goes wrong, and by {@link SteadyRenewal}; {@link Begins} notes beside each
 *       where its shard starts, of what the {@link SourceStream} has, and {@link StreamWatch} ends a daemon whose stream was turned off. New
 *       shards get theirs past the {@link LineageGuard}, and by a {@link PromptSync} where one ended without
 *       its children;
 *   <li>{@link PromptPublishers} read ahead, and stop at once;
 *   <li>{@link ReadPace} says when a shard is read next, and {@link ReadLimit} how much of it
 *       {@link ShardReads} ask for;
 *   <li>{@link GapGuard} makes the call, and by {@link Positions} knows where in the shard it stands;
 *   <li>{@link RawAnswers} takes the answer before the SDK does, and {@link RawRecords} cuts the records
 *       out of its bytes; {@link RememberedRecords} hands them to the adapter;
 *   <li>{@link StrangeAnswers} are refused, for the SDK would read the end of a shard into them;
 *   <li>in place of records, {@link Gaps} states a {@link Gap}, if need be as one of the
 *       {@link UntoldGaps}, and {@link Denials} ends a daemon that
 *       may no longer read, by the {@link ErrorCodes}; {@link ReadTrouble} tells of what is only retried.
 * </ol>
 *
 * <h2>To its record processor, and its checkpoint back</h2>
 *
 * <ol>
 *   <li>{@link ShardProcessor} passes the records to the shard's process, and as many empty deliveries as
 *       its {@link Deliveries} say, once the {@link StartGate} let it start: a {@link ForkedProcess} of the
 *       {@link ForkServer}, which speaks through {@link SocketStreams} and {@link InTurn}, or without one the
 *       program that the KCL starts;
 *   <li>in the {@link Outlet} records wait while {@link Pauses} hold them back, or a {@link Throttle} does, by its
 *       {@link ThrottleCommand} or {@link ThrottleAlarm}, or the {@link WriteAccount} is in
 *       debt, into which this worker's part of the {@link Limits} is paid, as {@link Shares} says;
 *   <li>from one state to the next it goes on when it can, by the {@link LookPause} of the scheduler;
 *   <li>{@link FencedCheckpointer} takes that process' checkpoint, and {@link LeaseFence} proves that the
 *       shard's lease is still this worker's;
 *   <li>{@link Handover} gives the lease up at a stop, and {@link WorkerReports} takes the worker out of
 *       the leader's list.
 * </ol>
 *
 * <h2>Where nothing is heard</h2>
 *
 * <p>Every {@link Rounds round} the {@link UnreadWatch} compares the leases of this worker with the
 * {@link SignsOfLife} of their shards, and looks whether the {@link AssignmentRounds} of the leader go on, which
 * give shards to the workers that live by their {@link MovingReports}.
 *
 * <h2>At the end, and what is said</h2>
 *
 * <ul>
 *   <li>{@link Shutdown} ends the daemon with the code that {@link ExitStatus} has settled on;
 *       {@link ChildExitFilter} tells it how a record processor ended, {@link Trouble} what a failed
 *       start means; {@link Ending} tells people;
 *   <li>{@link Connectors} is the log for operators, where {@link ChildLines} puts what record processors
 *       say; what is an {@link Event} in it {@link Events} keep for every host's eyes;
 *       {@link HundredFiles}, {@link KnownNoise} and {@link QuietStderr} keep the logs readable.
 * </ul>
 *
 * <h2>For the demo</h2>
 *
 * <p>{@link LoopbackDatabase} is DynamoDB Local, for this machine alone.
 *
 * <h2>In packages of the KCL</h2>
 *
 * <p>What its objects keep in private fields, {@link Kept} reads.
 *
 * <p>Six classes need what is package-private there, and so live beside it:
 *
 * <ul>
 *   <li>{@link software.amazon.kinesis.multilang.config.ResolvedConfigs}, for
 *       {@code MultiLangDaemonConfiguration.resolvedConfiguration};
 *   <li>{@link software.amazon.kinesis.coordinator.ShardSyncs}, for the class of the scheduler's manager of
 *       shard syncs;
 *   <li>{@link software.amazon.kinesis.coordinator.PromptScheduler}, for {@code Scheduler.runProcessLoop};
 *   <li>{@link software.amazon.kinesis.multilang.ForkedShardProcessor}, for
 *       {@code MultiLangShardRecordProcessor.startProcess};
 *   <li>{@link software.amazon.kinesis.leader.ShortLeaderLock}, for the factory method of
 *       {@code DynamoDBLockBasedLeaderDecider} that takes a duration, and
 *       {@link software.amazon.kinesis.leader.LeaderLock}, the decider that it makes.
 * </ul>
 */
package io.github.kclprocessor.launcher;

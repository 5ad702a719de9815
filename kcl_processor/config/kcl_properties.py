"""The properties that KCL 3.1.3's MultiLangDaemon takes, and what this product sets them to.

KCL ignores a property it does not know, so a typing error would go unseen; these names are
checked before anything starts. They are the setters of ``MultiLangDaemonConfiguration`` and of its
five beans in ``software.amazon.kinesis.multilang.config``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Set by the product from other keys of the task; a second value would contradict them.
OWNED = MappingProxyType(
    {
        "applicationName": "kcl.application_name",
        "workerId": "kcl.worker_id",
        "workerIdentifier": "kcl.worker_id",
        "regionName": "kcl.region",
        "dynamoDBEndpoint": "kcl.endpoint",
        "maxRecords": "batch_size",
        "streamName": "source.stream_arn",
        "streamArn": "source.stream_arn",
        "executableName": "nothing: the record processor is this product's",
        "tableName": "kcl.application_name",
        "initialPositionInStream": "nothing: LATEST loses the first records of every new shard",
        "maxActiveThreads": "nothing: a bounded pool deadlocks with more shards than threads",
        "callProcessRecordsEvenForEmptyRecordList": "nothing: idle shards checkpoint by it",
    }
)

DEFAULTS = MappingProxyType(
    {
        # A worker whose lease counter stands still for this long loses its shards.
        "failoverTimeMillis": "10000",
        # A stop may use this long for last checkpoints; KCL's 5 s cuts a batch in two.
        "shutdownGraceMillis": "30000",
        # KCL's defaults find a rolled-over shard's child late; these cost one more read of the
        # lease table and one more write of a metrics row a second, for each worker.
        "leaseAssignmentIntervalMillis": "1000",
        "workerMetricsReporterFreqInMillis": "1000",
        # No lease is assigned before the first report, which waits for two of these.
        "inMemoryWorkerMetricsCaptureFrequencyMillis": "250",
        "parentShardPollIntervalMillis": "1000",
        "idleTimeBetweenReadsInMillis": "200",
        # At any level KCL has seven metrics a shard and some a worker, and shards change every few
        # hours: each one would be a CloudWatch metric of its own to pay for.
        "metricsLevel": "SUMMARY",
        "metricsEnabledDimensions": "Operation",
    }
)

_OTHERS = """
AwsCredentialsProvider AwsCredentialsProviderDynamoDB AwsCredentialsProviderCloudWatch
enablePriorityLeaseAssignment leaseTableDeletionProtectionEnabled leaseTablePitrEnabled
shardSyncIntervalMillis cleanupLeasesUponShardCompletion ignoreUnexpectedChildShards
maxLeasesForWorker maxLeasesToStealAtOneTime initialLeaseTableReadCapacity
initialLeaseTableWriteCapacity maxLeaseRenewalThreads listShardsBackoffTimeInMillis
maxListShardsRetryAttempts shardPrioritization skipShardSyncAtWorkerInitializationIfLeasesExist
schedulerInitializationBackoffTimeMillis clientVersionConfig taskBackoffTimeMillis
metricsBufferTimeMillis metricsMaxQueueSize logWarningForTaskAfterMillis metricsEnabledDimensions
validateSequenceNumberBeforeCheckpointing timeoutInSeconds processingLanguage
retryGetRecordsInSeconds maxGetRecordsThreadPool millisBehindLatestThresholdForReducedTps
gracefulLeaseHandoffTimeoutMillis isGracefulLeaseHandoffEnabled
noOfPersistedMetricsPerWorkerMetrics
disableWorkerMetrics maxThroughputPerHostKBps dampeningPercentage reBalanceThresholdPercentage
allowThroughputOvershoot varianceBalancingFrequency workerMetricsEMAAlpha
staleWorkerMetricsEntryCleanupDuration
workerMetricsTableName workerMetricsBillingMode workerMetricsReadCapacity
workerMetricsWriteCapacity workerMetricsPointInTimeRecoveryEnabled
workerMetricsDeletionProtectionEnabled workerMetricsTags
coordinatorStateTableName coordinatorStateBillingMode coordinatorStateReadCapacity
coordinatorStateWriteCapacity coordinatorStatePointInTimeRecoveryEnabled
coordinatorStateDeletionProtectionEnabled coordinatorStateTags
""".split()

SETTABLE = frozenset(_OTHERS) | DEFAULTS.keys()


def seconds(given: Mapping[str, str], name: str) -> float:
    """A property in milliseconds, as seconds: as given for a task, or what it is set to."""
    return int(given.get(name, DEFAULTS[name])) / 1000

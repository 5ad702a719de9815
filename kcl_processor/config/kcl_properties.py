"""The properties that KCL 3.1.3's MultiLangDaemon takes, and what this product sets them to.

KCL ignores a property it does not know, so a typing error would go unseen; these names are
checked before anything starts. They are the setters of ``MultiLangDaemonConfiguration`` and of its
five beans in ``software.amazon.kinesis.multilang.config``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from kcl_processor.config.form import Form, whole

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
        "processingLanguage": "nothing: the record processor is this product's",
        "timeoutInSeconds": "nothing: one that waits for its destination must not be ended",
        "clientVersionConfig": "nothing: only KCL 3's own way keeps two workers from one shard",
        "isGracefulLeaseHandoffEnabled": "nothing: without it a shard may have two writers",
        "gracefulLeaseHandoffTimeoutMillis": "nothing: a shorter one may give a shard two writers",
        "shardSyncIntervalMillis": "nothing: the adapter wants 0",
        "skipShardSyncAtWorkerInitializationIfLeasesExist": "nothing: the adapter wants it so",
        "cleanupLeasesUponShardCompletion": "nothing: KCL takes no false here",
        "ignoreUnexpectedChildShards": "nothing: a child that is ignored is lost",
        "validateSequenceNumberBeforeCheckpointing": "nothing: it asks Kinesis",
        "shardPrioritization": "nothing: it cannot be written as a text",
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
        "inMemoryWorkerMetricsCaptureFrequencyMillis": "100",
        # On EC2, ECS and EKS the KCL would measure the CPU, and share the shards out by that, not
        # by what is read of them. On ECS it asks the agent, and waits for its answer for ever; a
        # worker without one is given no shard, so that after a rollover nobody reads.
        "disableWorkerMetrics": "true",
        "parentShardPollIntervalMillis": "1000",
        "idleTimeBetweenReadsInMillis": "200",
        # At any level KCL has seven metrics a shard and some a worker, and shards change every few
        # hours: each one would be a CloudWatch metric of its own to pay for.
        "metricsLevel": "SUMMARY",
        "metricsEnabledDimensions": "Operation",
    }
)

_HOUR = 3_600_000
_FLAG = Form("true or false", re.compile("true|false"))
_TABLE = Form("a table's name", re.compile(r"[A-Za-z0-9_.-]{3,255}"))
_BILLING = Form("PAY_PER_REQUEST or PROVISIONED", re.compile("PAY_PER_REQUEST|PROVISIONED"))
_TEXT = Form("a text in one line", re.compile(r"[^\r\n]+"))
_TAG = r"[^=,\r\n]+=[^=,\r\n]*"
_TAGS = Form("name=value, name=value", re.compile(f"{_TAG}(,{_TAG})*"))
_SHARE = Form("a number above 0, up to 1", re.compile(r"0\.[0-9]*[1-9][0-9]*|1(\.0)?"))
# java.time.Duration takes more, and what it does not take ends a start with Java's words for it.
_DURATION = Form(
    "an ISO 8601 duration such as P2D or PT24H, of a minute or more",
    re.compile(r"P([1-9][0-9]{0,2}D(T[1-9][0-9]?H)?|T([1-9][0-9]{0,3}[HM]|[1-9][0-9]{2,5}S))"),
)

# What each property may be. KCL 3.1.3 takes what BeanUtils can read and ignores a 0
# (``resolveFields``), so that a negative time or a word ends in a loop or in a default unseen.
SETTABLE: Mapping[str, Form] = MappingProxyType(
    {
        "AwsCredentialsProvider": _TEXT,
        "AwsCredentialsProviderDynamoDB": _TEXT,
        "AwsCredentialsProviderCloudWatch": _TEXT,
        # A proof of ownership lasts for a part of it, and must outlast a round trip many times.
        "failoverTimeMillis": whole(3_000, _HOUR),
        "shutdownGraceMillis": whole(1_000, _HOUR),
        "leaseAssignmentIntervalMillis": whole(100, _HOUR),
        "parentShardPollIntervalMillis": whole(1, _HOUR),
        # Five reads a second are what a shard allows.
        "idleTimeBetweenReadsInMillis": whole(200, 60_000),
        "millisBehindLatestThresholdForReducedTps": whole(1, _HOUR),
        "retryGetRecordsInSeconds": whole(1, 3_600),
        "maxGetRecordsThreadPool": whole(1, 10_000),
        "taskBackoffTimeMillis": whole(1, _HOUR),
        "logWarningForTaskAfterMillis": whole(1, 24 * _HOUR),
        "schedulerInitializationBackoffTimeMillis": whole(1, _HOUR),
        "listShardsBackoffTimeInMillis": whole(1, _HOUR),
        "maxListShardsRetryAttempts": whole(1, 1_000),
        "maxLeasesForWorker": whole(1, 1_000_000),
        "maxLeasesToStealAtOneTime": whole(1, 1_000_000),
        "maxLeaseRenewalThreads": whole(2, 1_000),
        "enablePriorityLeaseAssignment": _FLAG,
        "initialLeaseTableReadCapacity": whole(1, 40_000),
        "initialLeaseTableWriteCapacity": whole(1, 40_000),
        "leaseTableDeletionProtectionEnabled": _FLAG,
        "leaseTablePitrEnabled": _FLAG,
        "metricsLevel": Form("NONE, SUMMARY or DETAILED", re.compile("NONE|SUMMARY|DETAILED")),
        "metricsEnabledDimensions": _TEXT,
        "metricsBufferTimeMillis": whole(1, _HOUR),
        "metricsMaxQueueSize": whole(1, 1_000_000),
        # The first lease waits for two of these, and nobody is told why nothing is read.
        "inMemoryWorkerMetricsCaptureFrequencyMillis": whole(1, 30_000),
        "workerMetricsReporterFreqInMillis": whole(100, _HOUR),
        "noOfPersistedMetricsPerWorkerMetrics": whole(1, 1_000),
        "disableWorkerMetrics": _FLAG,
        "maxThroughputPerHostKBps": whole(1, 1_000_000_000),
        "dampeningPercentage": whole(1, 100),
        "reBalanceThresholdPercentage": whole(1, 100),
        "allowThroughputOvershoot": _FLAG,
        "varianceBalancingFrequency": whole(1, 1_000_000),
        "workerMetricsEMAAlpha": _SHARE,
        "staleWorkerMetricsEntryCleanupDuration": _DURATION,
        **{
            f"{table}{what}": form
            for table in ("workerMetrics", "coordinatorState")
            for what, form in {
                "TableName": _TABLE,
                "BillingMode": _BILLING,
                "ReadCapacity": whole(1, 40_000),
                "WriteCapacity": whole(1, 40_000),
                "PointInTimeRecoveryEnabled": _FLAG,
                "DeletionProtectionEnabled": _FLAG,
                "Tags": _TAGS,
            }.items()
        },
    }
)


def seconds(given: Mapping[str, str], name: str) -> float:
    """A property in milliseconds, as seconds: as given for a task, or what it is set to."""
    return in_seconds(given.get(name, DEFAULTS[name]))


def in_seconds(milliseconds: str) -> float:
    """The text of a property in milliseconds, as seconds."""
    return int(milliseconds) / 1000

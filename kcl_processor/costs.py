"""What a replica takes, gives and costs: as measured, and as AWS lists its prices.

Every estimate (``size``, ``copy --plan``) counts with these. What was measured, and what AWS asks
for, stands in integration/bench/README.md, too; a test holds them equal.
"""

from __future__ import annotations

# Measured by scripts/bench on two cores, with the source, the destination and the lease tables
# simulated on the same machine; items of 1 KB of JSON, 80 ms to the destination. Memory is resident
# memory in MB of 1024 x 1024 bytes, of the JVM and its record processors together, at work.
#
# One shard: changes a second, and MB.
SHARD_CHANGES = 4796
ONE_SHARD_MB = 256
# Eight shards on one worker, whose two cores were full.
WORKER_SHARDS = 8
WORKER_CHANGES = 16_214
EIGHT_SHARDS_MB = 709
# The line through both: what a shard adds, with its process and its part of the JVM, and the rest.
SHARD_MB = (EIGHT_SHARDS_MB - ONE_SHARD_MB) / (WORKER_SHARDS - 1)
JAVA_MB = ONE_SHARD_MB - SHARD_MB
# The most shards that were measured on one worker, and what each of them took beyond those eight,
# as its share of the memory (PSS): 300 changes of 1 KB in each, from the first start on.
MANY_SHARDS = 128
FURTHER_SHARD_MB = 4
# Seconds between two reads of a shard that has been without changes for minutes (ReadPace.java).
QUIET_READ_SECONDS = 1.0
# Seconds that a round of a proof takes at least: a small table is not compared without a pause.
PROOF_REST = 60.0
# Counted in a run: the names of KCL's metrics at its level SUMMARY, with the dimension Operation
# alone.
KCL_METRICS = 32

# GetRecords gives 1,000 records or this many bytes of images (DynamoDB Streams API reference).
READ_BYTES = 1 << 20
# What a table on demand takes at once when it is new, in units a second (DynamoDB developer guide,
# "DynamoDB on-demand capacity mode").
ON_DEMAND_READS = 12_000.0
ON_DEMAND_WRITES = 4000.0

# List prices, in US dollars, as this version knows them (the pages "Amazon DynamoDB pricing", table
# class Standard, "Amazon CloudWatch pricing" and "Amazon EC2 pricing"). Other regions differ, and
# the pages rule. The date is that of the last change known, of units on demand.
PRICE_LIST = "us-east-1, November 2024"
#
# A million units on demand, of writing and of reading.
MILLION_WRITES = 0.625
MILLION_READS = 0.125
# 100,000 calls of GetRecords.
STREAM_READS = 0.02
# A metric for a month, among the first 10,000; a thousand calls of PutMetricData.
METRIC_MONTH = 0.30
THOUSAND_PUTS = 0.01
# A GB exported, imported, kept recoverable for a month, and sent to another region.
EXPORT_GB = 0.10
IMPORT_GB = 0.15
PITR_GB_MONTH = 0.20
TRANSFER_GB = 0.02

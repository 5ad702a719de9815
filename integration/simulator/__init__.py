"""A simulated DynamoDB Streams endpoint with many shards, and a destination that fails on demand.

Start it in its own process with `integration.simulator.client.SimulatorProcess` or `python -m
integration.simulator`. "API" is the Amazon DynamoDB and DynamoDB Streams API reference, "Guide"
the developer guide's pages on streams.

| behaviour | source |
|---|---|
| JSON 1.0, X-Amz-Target, `__type`, x-amzn-RequestId, x-amz-crc32 | Guide, "low-level API" |
| DescribeStream: Limit up to 100, ExclusiveStartShardId, LastEvaluatedShardId | API |
| ShardFilter CHILD_SHARDS with ShardId | API ShardFilter |
| an open shard has no EndingSequenceNumber | API DescribeStream |
| sequence numbers of 21 to 40 digits, rising | API SequenceNumber |
| GetRecords: at most 1000 records or 1 MB; a Limit over 1000: LimitExceededException | API |
| the 1 MB are counted in SizeBytes: keys and images as DynamoDB sizes items | assumed |
| no NextShardIterator once a closed shard is read to its end | API GetRecordsOutput |
| an iterator lives 15 minutes (settable): ExpiredIteratorException | API GetShardIterator |
| TrimmedDataAccessException from GetShardIterator and GetRecords | API, the exception |
| AFTER_SEQUENCE_NUMBER of the last trimmed change counts as trimmed | API, read strictly |
| an expired shard: ResourceNotFoundException; children still name it | API, and the adapter |
| ApproximateCreationDateTime in whole seconds | API StreamRecord |
| a stream switched off is DISABLED and readable; its shards are closed | Guide |
| a closed shard has one child or two, with higher sequence numbers | Guide |
| a child is visible as soon as its parent is closed | assumed |
| shard ids `shardId-<ms, 20 digits>-<8 hex>` | adapter, getShardCreationTime |
| empty pages in the middle of a shard (fault `empty`) | API GetRecords |
| BatchWriteItem: 1 to 25 writes, no key twice; refused as a whole | API BatchWriteItem |
| UnprocessedItems; if all are: ProvisionedThroughputExceededException | API BatchWriteItem |
| items up to 400 KB | API PutItem |

Not simulated: AT_TIMESTAMP, more than two readers of a shard being throttled, call rate limits
(they are counted, see `CallCounts`), TTL's clock (tests say what expires), signatures, capacity
(ConsumedCapacity is absent), conditions and updates on the in-memory destination.
"""

"""One-way, continuous replication of a DynamoDB table, as a KCL 3 record processor.

The official Java KCL with the official DynamoDB Streams adapter owns leases, checkpoints,
failover and balancing. It starts one Python process per shard and speaks the MultiLang protocol
with it; that process turns stream images into writes on the destination table. Start with
``replicate``, which reads in the order a record travels.

The rooms stand on floors, and none imports from a floor above: ``cli``; ``table``, ``operate``,
``demo``; ``launch``, ``testing``; ``replicate``, ``fleet``; ``state``; ``aws``; ``config``,
``launcher``; ``transform``; and on the ground ``errors``, ``clock``, ``log``, ``costs``, ``words``.
"""

__version__ = "0.1.0"

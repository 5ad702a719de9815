"""One-way, continuous replication of a DynamoDB table, as a KCL 3 record processor.

The official Java KCL with the official DynamoDB Streams adapter owns leases, checkpoints,
failover and balancing. It starts one Python process per shard and speaks the MultiLang protocol
with it; that process turns stream images into writes on the destination table. The package reads
in the order a change travels: ``processor``, ``decode``, ``coalesce``, ``write``, ``checkpoint``.
"""

__version__ = "0.1.0"

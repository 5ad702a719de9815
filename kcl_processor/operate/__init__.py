"""What operators ask of a running replica: leases, lag, health, permissions, cost.

``observe`` takes one look at everything that KCL, the stream and this host's record processors
show; ``lineage`` says what each shard is doing. Only ``lease_reset``, ``uninstall`` and
``switchover`` change anything: a replica, and that one its source's policy.
"""

"""KCL's tables and the stream as they are: made, read, watched.

``kcl_tables`` makes KCL's tables and knows their names. ``leases`` and ``coordinator`` read what
KCL wrote there, ``running`` tells from it whether a worker lives, ``own_rows`` keeps rows of this
product beside it, and ``lease_changes`` is the one way to change leases. ``stream`` reads what
DynamoDB Streams shows. Nothing here judges; ``operate`` does.
"""

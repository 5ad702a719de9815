"""KCL's tables and the stream as they are: made, read, watched.

``leases`` and ``coordinator`` read what KCL wrote, ``stream`` what DynamoDB Streams shows, and
``running`` tells from both whether a worker lives. Nothing here judges; ``operate`` does.
``costs`` has the figures that estimates are made of.
"""

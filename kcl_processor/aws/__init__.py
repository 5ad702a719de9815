"""The way to AWS: the wire, clients, credentials, error codes.

``wire`` makes one signed call with raw JSON, for whoever moves items; ``clients`` makes botocore
clients for whoever asks questions, and turns what they raise into an operator's words. Both have
their ``credentials``, which follow their source, and their way through the ``network`` from one
place. ``queues`` finds an SQS queue by its name.
"""

"""SQS queues, by URL or ARN."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kcl_processor.aws import clients
from kcl_processor.config.access import Access
from kcl_processor.errors import ConfigError

QUEUE_HINT = "dead_letters with the URL or the ARN of an SQS queue that is there"
# As in sqs.REGION.amazonaws.com, or sqs-fips; of a VPC endpoint, with its name before that.
_REGION = re.compile(r"(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.")
# As older SDKs and CLIs gave it out (sslCommonName of SQS in botocore's endpoints); the one without
# a region is of the first.
_LEGACY_REGION = re.compile(r"(?:([a-z0-9-]+)\.)?queue\.amazonaws\.com(?:\.cn)?")
_FIRST_REGION = "us-east-1"


class Queue(NamedTuple):
    """A queue, and a client for it."""

    url: str
    client: Any


def open_queue(place: str, region: str, access: Access) -> Queue:
    """Find a queue. Of a URL nothing is asked, an ARN takes ``sqs:GetQueueUrl``.

    Args:
        region: of a queue whose URL does not tell.
        access: whose credentials it is used with.

    Raises:
        ConfigError: there is no such queue.
        PermissionDenied: the call is denied.
        OperatorError: SQS cannot be reached or is in trouble.
        NoKeys: there are no credentials to ask it with.
    """
    if not place.startswith("arn:"):
        parts = urlsplit(place)
        endpoint = f"{parts.scheme}://{parts.netloc}"
        return Queue(place, clients.queues(_region(place, region), endpoint, access))
    _, _, _, own_region, account, name = place.split(":", 5)
    client = clients.queues(own_region, None, access)
    with clients.calling("sqs:GetQueueUrl", in_words(place), ConfigError, QUEUE_HINT):
        answer = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
    return Queue(str(answer["QueueUrl"]), client)


def in_words(place: str) -> str:
    """The queue, for errors."""
    return f"the queue of dead letters {place}"


def queue_arn(place: str, region: str, partition: str) -> str:
    """The ARN of a queue. Nothing is asked: SQS makes it of what a URL says.

    Args:
        region: of a queue whose URL does not tell.
        partition: of the task's other ARNs.
    """
    if place.startswith("arn:"):
        return place
    *_, account, name = ["", *filter(None, urlsplit(place).path.split("/"))]
    if not account.isdigit():
        account = "*"
    return f"arn:{partition}:sqs:{_region(place, region)}:{account}:{name}"


def queue_region(place: str, region: str) -> str:
    """Where a queue is.

    Args:
        region: of a queue whose URL does not tell.
    """
    return place.split(":")[3] if place.startswith("arn:") else _region(place, region)


def _region(url: str, region: str) -> str:
    host = urlsplit(url).hostname or ""
    if found := _REGION.search(host):
        return found[1]
    legacy = _LEGACY_REGION.fullmatch(host)
    return (legacy[1] or _FIRST_REGION) if legacy else region

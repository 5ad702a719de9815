"""Dead letters in an SQS queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from kcl_processor.errors import ConfigError
from kcl_processor.state.dead_letters import DeadLetter, read_letter

_BOUNDED = Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 5})
# Seconds that a message stays hidden while its letter is being applied.
_HIDDEN = 60


class LetterQueue:
    """An SQS queue; a letter is a message, deleted when it is settled."""

    def __init__(self, place: str, region: str) -> None:
        try:
            self._url, self._client = _queue(place, region)
        except (BotoCoreError, ClientError) as error:
            raise ConfigError(
                f"The queue of dead letters {place} cannot be used: {error}.",
                "dead_letters with the URL or the ARN of an SQS queue",
            ) from error

    def __str__(self) -> str:
        return self._url

    def put(self, line: bytes) -> None:
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=line.decode())
        except (BotoCoreError, ClientError) as error:
            raise OSError(0, str(error)) from error

    def letters(self) -> Iterator[DeadLetter]:
        while True:
            got = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN
            ).get("Messages")
            if not got:
                return
            for message in got:
                yield read_letter(message["Body"].encode(), message["ReceiptHandle"])

    def settle(self, letter: DeadLetter) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)


def _queue(place: str, region: str) -> tuple[str, Any]:
    if place.startswith("arn:"):
        _, _, _, region, account, name = place.split(":", 5)
        client = boto3.client("sqs", region_name=region, config=_BOUNDED)
        answer = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        return str(answer["QueueUrl"]), client
    host = urlsplit(place)
    words = (host.hostname or "").split(".")
    if words[0] == "sqs" and len(words) > 2:
        region = words[1]
    endpoint = f"{host.scheme}://{host.netloc}"
    return place, boto3.client("sqs", region_name=region, endpoint_url=endpoint, config=_BOUNDED)

"""botocore clients for the sides of a task, and their failures in an operator's words."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    SSLError,
)
from botocore.session import Session

from kcl_processor.aws import wire
from kcl_processor.aws.codes import DENIED, RENEW, UNKNOWN_OPERATION, code_of, passes, said
from kcl_processor.aws.credentials import session
from kcl_processor.aws.network import proxies_to
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.access import Access
from kcl_processor.config.task import Side, Source, Task
from kcl_processor.errors import ConfigError, OperatorError, PermissionDenied

# Calls of one client that may be under way at once; botocore drops connections beyond these.
CONNECTIONS = 16

_BOUNDED = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 5},
    max_pool_connections=CONNECTIONS,
)

# botocore's sessions make one client at a time.
_making = threading.Lock()

_PASSES = "check the endpoint and the network, then try again"

_TRUST = "AWS_CA_BUNDLE with the certificates that stand behind the endpoint or the proxy"

_LACKING = "do without what needs it here, or a store that has it"

_RENEW_FIRST = "renew the credentials, check this host's clock, then try again"


class CredentialsRefused(PermissionDenied):
    """AWS refused the credentials themselves, and whoever renews them may be about to."""


class ServiceTrouble(OperatorError):
    """A service cannot be reached, or cannot answer now: that passes, or its network is mended."""


def tables(side: Side) -> Any:
    """A DynamoDB client for a task's source or destination."""
    return _client("dynamodb", side.region, side.endpoint, side.access)


def endpoint(side: Side, connections: int, clock: Clock) -> wire.Endpoint:
    """The wire to a side's table, with its credentials.

    Args:
        connections: how many calls may be under way at once.
    """
    url = str(tables(side).meta.endpoint_url)
    return wire.endpoint(side.region, url, side.access, connections, clock)


def streams(source: Source) -> Any:
    """A DynamoDB Streams client for a task's source."""
    return _client("dynamodbstreams", source.region, source.streams_url, source.access)


def checkpoints(task: Task) -> Any:
    """A DynamoDB client for KCL's tables."""
    return _client("dynamodb", task.kcl.region, task.kcl.endpoint, task.kcl.access)


def cloudwatch(task: Task) -> Any:
    """A CloudWatch client for the region a task publishes to."""
    return _client("cloudwatch", task.metrics_region, task.metrics.endpoint, task.metrics.access)


def alarms(region: str, access: Access) -> Any:
    """A CloudWatch client for an alarm that throttles."""
    return _client("cloudwatch", region, None, access)


def sts(region: str, access: Access) -> Any:
    """An STS client, to ask who somebody is."""
    return _client("sts", region, None, access)


def queues(region: str, endpoint: str | None, access: Access) -> Any:
    """An SQS client for dead letters."""
    return _client("sqs", region, endpoint, access)


def functions(source: Source) -> Any:
    """A Lambda client where a task's source is."""
    return _client("lambda", source.region, None, source.access)


def buckets(side: Side) -> Any:
    """An S3 client for exports of a side's table; it finds a bucket's region by itself."""
    return _client("s3", side.region, None, side.access)


def described(
    client: Any, table: str, error: type[OperatorError], hint: str
) -> dict[str, Any] | None:
    """DescribeTable, or ``None`` when there is no such table.

    Raises:
        OperatorError: as :func:`calling` does.
    """
    with calling("dynamodb:DescribeTable", f"table {table}", error, hint):
        try:
            found: dict[str, Any] = client.describe_table(TableName=table)["Table"]
        except client.exceptions.ResourceNotFoundException:
            return None
    return found


def recovery(client: Any, table: str) -> dict[str, Any] | None:
    """Between which moments a table's point-in-time recovery reaches, as the service tells it;
    ``None`` where that is off.

    Raises:
        ClientError: there is no such table, the call is denied, or the store has no such recovery.
    """
    found = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    told: dict[str, Any] = found.get("PointInTimeRecoveryDescription", {})
    return told if told.get("PointInTimeRecoveryStatus") == "ENABLED" else None


@functools.cache
def _client(service: str, region: str, endpoint: str | None, access: Access) -> Any:
    # Each client costs 10 MB and 50 ms, most of it the service's model: one is made and kept.
    held = _session(region, access)
    try:
        with _making:
            made = held.create_client(
                service, region_name=region, endpoint_url=endpoint, config=_BOUNDED
            )
    # Of a URL and of a number botocore says no more than ValueError.
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(
            f"A client of {service} in {region} cannot be made: {error}.",
            "mend the AWS setting, or unset it",
        ) from error
    proxies_to(made.meta.endpoint_url)
    made.meta.events.register("after-call", _refuse_strange)
    return made


@functools.cache
def _session(region: str, access: Access) -> Session:
    # A session costs 30 ms, and its keys a look for them: all clients of a side share one.
    # It lives as long as the process, whoever asks first, and botocore goes by the system's clock.
    return session(region, SystemClock(), access)


def forget() -> None:
    """The next client is made anew, with what the environment then says."""
    _client.cache_clear()
    _session.cache_clear()


class StrangeAnswer(HTTPClientError):  # type: ignore[misc]
    """A portal or a proxy answered in the place of the service, and as if all were well."""

    fmt = "the answer holds no {field}, so the service did not give it"


def _refuse_strange(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
    # What botocore takes for an answer, and raises no error for.
    if http_response.status_code < 300 and (field := wire.missing(model.name, parsed)):
        raise StrangeAnswer(field=field)


@contextmanager
def calling(action: str, resource: str, error: type[OperatorError], hint: str) -> Iterator[None]:
    """Turn what a call of ``action`` on ``resource`` raises into an operator's error.

    Args:
        action: the IAM action, as in ``dynamodb:DescribeTable``.
        resource: what it was called on, in words.
        error: what to raise when it is not about permission.
        hint: what to do when it is not about permission.

    Raises:
        PermissionDenied: the action is denied, or there are no valid credentials; as
            :class:`CredentialsRefused` if they may be renewed.
        ServiceTrouble: the service cannot be reached or is in trouble; a supervisor tries again.
        OperatorError: nobody vouches for whom it is reached as.
    """
    try:
        yield
    except ClientError as failure:
        if code_of(failure.response) == UNKNOWN_OPERATION:
            raise error(
                f"{action} on {resource}: the service there has no such operation.", _LACKING
            ) from failure
        raise _refused(failure, action, resource) or error(
            f"{action} on {resource} failed ({said(failure.response)}).", hint
        ) from failure
    except SSLError as failure:
        raise OperatorError(f"{action} on {resource} failed: {failure}.", _TRUST) from failure
    except (ConnectionError, HTTPClientError) as failure:
        raise ServiceTrouble(f"{action} on {resource} failed: {failure}.", _PASSES) from failure
    except BotoCoreError as failure:
        raise error(f"{action} on {resource} failed: {failure}.", hint) from failure


def _refused(failure: ClientError, action: str, resource: str) -> OperatorError | None:
    """The error for a code that means the same whatever was called, or ``None``."""
    code, words = code_of(failure.response), said(failure.response)
    if code in DENIED:
        return PermissionDenied(
            f"{action} on {resource} is denied ({words}).",
            f"allow {action}, or check whose credentials these are: aws sts get-caller-identity",
        )
    if code in RENEW:
        return CredentialsRefused(
            f"{action} on {resource}: the credentials are refused ({words}).", _RENEW_FIRST
        )
    if passes(failure.response):
        return ServiceTrouble(f"{action} on {resource} failed ({words}).", _PASSES)
    return None

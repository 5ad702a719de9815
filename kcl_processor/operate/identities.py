"""Who the calls of each section of a task are, and to whom their credentials go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from kcl_processor.aws import clients, credentials
from kcl_processor.aws.credential_errors import WHO_HINT, NoKeys
from kcl_processor.aws.hosts import is_aws, is_aws_key, is_in_clear
from kcl_processor.aws.queues import queue_region
from kcl_processor.clock import Clock
from kcl_processor.config.access import Access
from kcl_processor.config.paths import queue_of
from kcl_processor.config.render import endpoint
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.operate.check import FAIL, Check, fail, ok, warn


@dataclass(frozen=True)
class Caller:
    """A section of a task, as one that calls.

    Attributes:
        region: where STS is asked for its roles.
        urls: where its calls go.
    """

    section: str
    region: str
    access: Access
    urls: tuple[str, ...]


def callers(task: Task) -> list[Caller]:
    """The sections of a task that call.

    Raises:
        ConfigError: where they call is not to be had from the AWS settings.
    """
    source, destination, kcl, metrics = task.source, task.destination, task.kcl, task.metrics
    dynamodb = endpoint("dynamodb", source.region, source.endpoint)
    streams = endpoint("dynamodbstreams", source.region, source.streams_url)
    found = [
        Caller("source", source.region, source.access, (dynamodb, streams)),
        Caller(
            "destination",
            destination.region,
            destination.access,
            (endpoint("dynamodb", destination.region, destination.endpoint),),
        ),
        Caller("kcl", kcl.region, kcl.access, (endpoint("dynamodb", kcl.region, kcl.endpoint),)),
    ]
    if metrics.publish:
        url = endpoint("cloudwatch", task.metrics_region, metrics.endpoint)
        found.append(Caller("metrics", task.metrics_region, metrics.access, (url,)))
    if queue := queue_of(task):
        region = queue_region(queue, destination.region)
        url = endpoint("sqs", region, None) if queue.startswith("arn:") else queue
        found.append(Caller("dead letters", region, task.letters_access, (url,)))
    return found


def told(task: Task, clock: Clock) -> Iterator[Check]:
    """Who each section is, one line for all that are the same, and what is amiss with that.

    Raises:
        ConfigError: as :func:`callers`.
    """
    said: dict[tuple[str, str], list[str]] = {}
    for caller in callers(task):
        try:
            key = credentials.keys(caller.region, clock, caller.access).access_key
        except NoKeys as error:
            yield fail(f"{caller.section}: {error.message}", "a start would end here", error.hint)
            continue
        yield from _strangers(caller, key)
        check = _who(caller)
        if check.result == FAIL or check.why:
            yield check
        else:
            said.setdefault((check.result, check.text), []).append(caller.section)
    for (_, text), sections in said.items():
        yield ok(f"{', '.join(sections)}: {text}")


def identity_of(region: str, access: Access) -> dict[str, str]:
    """Whoever credentials are, as STS says it: ``Arn``, ``Account``, ``UserId``.

    Raises:
        OperatorError, PermissionDenied: STS does not say.
    """
    with clients.calling("sts:GetCallerIdentity", str(access), OperatorError, WHO_HINT):
        found: dict[str, str] = clients.sts(region, access).get_caller_identity()
    return found


def _strangers(caller: Caller, key: str) -> Iterator[Check]:
    """Keys of AWS that go to somebody else, or in clear."""
    if not is_aws_key(key):
        return
    for url in dict.fromkeys(caller.urls):
        host = urlsplit(url).netloc
        if not is_aws(url):
            yield warn(
                f"{caller.section}: the keys of {caller.access} look like AWS's, and {host} is "
                "not AWS",
                "whoever runs that host sees the key's id, a session's token and the signatures",
                "profile in that section, with keys of that store's own",
            )
        if is_in_clear(url):
            yield warn(
                f"{caller.section}: calls with the keys of {caller.access} go to {host} over "
                "plain http",
                "whoever is on the way reads the items, and a session's token",
                "an endpoint with https",
            )


def _who(caller: Caller) -> Check:
    """What STS says, where there is one to ask."""
    sts = endpoint("sts", caller.region, None)
    has_sts = all(map(is_aws, caller.urls)) or not is_aws(sts) or caller.access.roles
    if not has_sts:
        hosts = ", ".join(dict.fromkeys(urlsplit(url).netloc for url in caller.urls))
        return ok(f"the keys of {caller.access}; {hosts} cannot say whose they are")
    try:
        arn = identity_of(caller.region, caller.access)["Arn"]
    except OperatorError as error:
        return warn(f"{caller.section}: who this is, is not known", error.message, error.hint)
    return ok(f"{arn}, by {caller.access}")

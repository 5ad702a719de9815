"""A gate before a service of this machine: whoever is not its own is refused, as AWS refuses.

The services behind it, DynamoDB Local and moto, take any keys. To tell who somebody is, the gate
asks the STS that gave out the session's keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import boto3
import urllib3

from integration.credentials import CREDENTIALS
from tests.edges import Reply, Request, serving

# Of one hop alone, or of the keys that came.
_LEFT_OUT = {"connection", "transfer-encoding", "content-length", "date", "x-amz-security-token"}
# Of CloudWatch's and STS's query protocol; the others answer in JSON.
_XML = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"


@dataclass
class Gate:
    """Who is let in, and who came.

    Attributes:
        lets_in: key ids, or names of roles.
        revoked: keys that were good once.
        came: who was let in, and by which key.
        refused: who was not.
    """

    sts: str
    lets_in: set[str]
    url: str = ""
    revoked: set[str] = field(default_factory=set)
    came: list[tuple[str, str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)

    def refusal(self, request: Request) -> str | None:
        """The code that this request is refused with."""
        key = request.key_id
        name = self._name(key)
        if key in self.revoked:
            return "ExpiredTokenException"
        if name not in self.lets_in:
            self.refused.add(name)
            return "UnrecognizedClientException"
        self.came.append((name, key))
        return None

    def last(self) -> str:
        """The key that was let in last."""
        return self.came[-1][1]

    def _name(self, key: str) -> str:
        if key not in self._names:
            self._names[key] = _role(self.sts, key) if key.startswith("ASIA") else key
        return self._names[key]


def _role(sts: str, key: str) -> str:
    """The role whose session a key is of."""
    client = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=sts,
        aws_access_key_id=key,
        aws_secret_access_key="-",
    )
    arn: str = client.get_caller_identity()["Arn"]
    return arn.split("/")[1]


@contextmanager
def gate(target: str, sts: str, *lets_in: str) -> Iterator[Gate]:
    """A gate before the URL ``target``.

    Args:
        sts: the URL of the STS that knows all sessions.
    """
    pool = urllib3.PoolManager(maxsize=32, retries=False)
    this = Gate(sts, set(lets_in))

    def answer(request: Request) -> Reply:
        code = this.refusal(request)
        if code and "X-Amz-Target" not in request.headers:
            return Reply(_XML.format(code, "not let in").encode(), 403)
        if code:
            body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "not let in"}
            return Reply.of(body, 400)
        return _forwarded(pool, target, request)

    with serving(answer) as edge:
        this.url = edge.url
        yield this


@dataclass
class Assumed:
    """One AssumeRole: by which key, which role, with what."""

    by: str
    role: str
    external_id: str
    session_name: str


@contextmanager
def watched_sts(target: str) -> Iterator[tuple[str, list[Assumed]]]:
    """The URL of an STS that is ``target``, and the roles that were assumed there."""
    pool = urllib3.PoolManager(maxsize=8, retries=False)
    assumed: list[Assumed] = []

    def answer(request: Request) -> Reply:
        said = dict(parse_qsl(request.body.decode()))
        if said.get("Action") == "AssumeRole":
            role = said["RoleArn"].rpartition("/")[2]
            external_id = said.get("ExternalId", "")
            assumed.append(Assumed(request.key_id, role, external_id, said["RoleSessionName"]))
        return _forwarded(pool, target, request, as_it_came=True)

    with serving(answer) as edge:
        yield edge.url, assumed


def _forwarded(
    pool: urllib3.PoolManager, target: str, request: Request, *, as_it_came: bool = False
) -> Reply:
    """The service's answer. By one key, unless as it came: DynamoDB Local has tables by key."""
    headers = _passed_on(request.headers)
    if not as_it_came:
        mine = f"Credential={CREDENTIALS['AWS_ACCESS_KEY_ID']}/"
        headers["Authorization"] = re.sub("Credential=[^/]+/", mine, headers["Authorization"])
    answer = pool.request(
        request.method,
        target + request.path,
        body=request.body,
        headers=headers,
        decode_content=False,
    )
    return Reply(answer.data, answer.status, _passed_on(answer.headers))


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _LEFT_OUT}

"""The denial of every write on a table: one statement in its resource policy, put and taken out.

A table has one policy, which others change, too. So it is changed only as it was read, by its
revision, and of all its statements only the one with our ``Sid`` is ever touched. ``Sid`` is made
for one switchover and written down before, so that whoever comes after a kill knows it again. It
names its task, too: a command that was held up between the two may put it when nobody waits for it
any more.

What cannot be denied (DynamoDB developer guide, "DynamoDB resource-based policy considerations" and
"Time to Live"): what time to live deletes, and what was allowed before the policy is applied
everywhere, which AWS gives no bound for.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from kcl_processor.aws import clients
from kcl_processor.aws.codes import code_of, passes
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError, SourceError

# Each action that writes an item (Service Authorization Reference, "Actions, resources, and
# condition keys for Amazon DynamoDB"); transactions are allowed by the actions of their parts.
WRITES = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
# What whoever freezes a table needs.
ACTIONS = ("DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy")
# Seconds for one change: another's is awaited, and DynamoDB takes no second one within 15 s
# (developer guide, "DynamoDB resource-based policy considerations").
_PATIENCE = 60.0
_POLL = 1.0
# Seconds for which a policy must be read without our statement before it is believed to be gone: a
# reading may show what was there before (API reference, GetResourcePolicy).
ABSENT = 20.0
# No policy, or another revision than expected (API reference, PutResourcePolicy).
_NOT_FOUND = "PolicyNotFoundException"
# No such table, or one that is being changed (API reference, GetResourcePolicy); and what moto says
# to the deletion of a policy that is gone.
_NO_TABLE = "ResourceNotFoundException"
_NOT_NOW = (_NOT_FOUND, _NO_TABLE, "LimitExceededException", "ResourceInUseException")
_NONE = "NO_POLICY"
_HINT = "check the table's resource policy in the AWS console"

Document = dict[str, Any]


def new_sid(task: Task) -> str:
    """A name for a statement that no other has; a ``Sid`` has letters and digits alone."""
    return f"{_sids_of(task)}{secrets.token_hex(8)}"


def _sids_of(task: Task) -> str:
    """With what the names of a task's statements begin: a source may have several tasks."""
    whose = f"{task.kcl.region} {task.kcl.application_name}"
    return f"KclProcessorFreeze{hashlib.sha256(whose.encode()).hexdigest()[:12]}"


class TableGone(SourceError):
    """The table is not there, and with it all that its policy denied."""


@dataclass(frozen=True)
class _Policy:
    """A policy as it was read; ``text`` is ``None`` where there is none."""

    text: str | None
    revision: str

    @property
    def document(self) -> Document:
        found: Document = json.loads(self.text) if self.text else {"Version": "2012-10-17"}
        return {**found, "Statement": _statements(found)}

    def holds(self, sid: str) -> bool:
        return any(one.get("Sid") == sid for one in self.document["Statement"])

    def sids(self) -> list[str]:
        """The names of its statements, of those that have one."""
        return [str(one["Sid"]) for one in self.document["Statement"] if "Sid" in one]


class Freeze:
    """The denial of writes on one table.

    Args:
        client: a DynamoDB client of whoever may change the table's policy.
        on: the table in words.
        wait: waits for some seconds; the taking back must not be cut short by it.
    """

    def __init__(
        self, client: Any, arn: str, on: str, sid: str, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        self.sid = sid
        self._client = client
        self._arn = arn
        self._on = on
        self._clock = clock
        self._wait = wait

    @property
    def statement(self) -> Document:
        """What is put into the policy. Reads, streams and the table's settings are left alone."""
        return {
            "Sid": self.sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(WRITES),
            "Resource": self._arn,
        }

    def put(self, note: Callable[[str | None], None]) -> None:
        """Deny writes; returns when the policy shows it. It may be there already.

        Args:
            note: told the policy that was there, before it is changed; what it raises ends it.

        Raises:
            TableGone: there is no such table.
            OperatorError: others change the policy all the time, or it does not show.
            PermissionDenied, SourceError: a call is denied, or refused.
        """
        for policy in self._readings():
            if policy.holds(self.sid):
                return
            note(policy.text)
            document = policy.document
            document["Statement"].append(self.statement)
            self._replace(policy, _compact(document))

    def lift(self, before: str | None) -> None:
        """Take our statement out, and nothing else. A table that is gone has none.

        Args:
            before: the policy that was there, which comes back as it was unless others changed it.

        Raises:
            OperatorError: others change the policy all the time.
            PermissionDenied, SourceError: a call is denied, or refused.
        """
        with suppress(TableGone):
            self._lift(before)

    def stands(self) -> bool:
        """Whether the policy holds our statement, as far as a reading tells.

        Raises:
            TableGone: there is no such table.
            PermissionDenied, SourceError: it cannot be read.
        """
        return next(self._readings()).holds(self.sid)

    def sids_of(self, task: Task) -> set[str]:
        """The names of all statements that a task's switchovers have put into the policy.

        Raises:
            PermissionDenied, OperatorError: it cannot be read.
        """
        try:
            found = next(self._readings()).sids()
        except TableGone:
            return set()
        return {sid for sid in found if sid.startswith(_sids_of(task))}

    def _lift(self, before: str | None) -> None:
        seen_until = self._clock.elapsed()
        for policy in self._readings():
            if policy.holds(self.sid):
                seen_until = self._clock.elapsed()
                if self._replace(policy, self._without(policy, before)):
                    return
            elif self._clock.elapsed() - seen_until >= ABSENT:
                return

    def _without(self, policy: _Policy, before: str | None) -> str | None:
        document = policy.document
        document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != self.sid]
        if before and _Policy(before, "").document == document:
            return before
        return _compact(document) if document["Statement"] else None

    def _readings(self) -> Iterator[_Policy]:
        deadline = self._clock.elapsed() + _PATIENCE
        while self._clock.elapsed() < deadline:
            if policy := self._read():
                yield policy
            self._wait(_POLL)
        raise OperatorError(
            f"The resource policy of {self._on} could not be changed within {_PATIENCE:.0f} s: "
            "somebody else changes it, or DynamoDB takes no change at the moment.",
            "try again in a minute",
        )

    def _read(self) -> _Policy | None:
        """The policy as it is shown; ``None`` while the table does not show it."""
        with self._calling("GetResourcePolicy"):
            try:
                found = self._client.get_resource_policy(ResourceArn=self._arn)
            except ClientError as failure:
                if code_of(failure.response) == _NO_TABLE:
                    self._demand_table()
                    return None
                if code_of(failure.response) != _NOT_FOUND:
                    raise
                return _Policy(None, _NONE)
        return _Policy(found["Policy"], found["RevisionId"])

    def _demand_table(self) -> None:
        with self._calling("DescribeTable"):
            try:
                self._client.describe_table(TableName=self._arn)
            except ClientError as failure:
                if code_of(failure.response) != _NO_TABLE:
                    raise
                raise TableGone(f"{self._on} is gone.", "check the source") from failure

    def _replace(self, policy: _Policy, text: str | None) -> bool:
        """Replace a policy that was read; whether it was still that one, and DynamoDB took it."""
        on = {"ResourceArn": self._arn, "ExpectedRevisionId": policy.revision}
        with self._calling("PutResourcePolicy" if text else "DeleteResourcePolicy"):
            try:
                if text:
                    self._client.put_resource_policy(Policy=text, **on)
                else:
                    self._client.delete_resource_policy(**on)
            except ClientError as failure:
                if code_of(failure.response) not in _NOT_NOW and not passes(failure.response):
                    raise
                return False
        return True

    def _calling(self, call: str) -> Any:
        return clients.calling(f"dynamodb:{call}", self._on, SourceError, _HINT)


def refuse_replicas(table: Document, on: str) -> None:
    """Refuse to freeze a replica of a global table.

    Its other replicas can still be written, and what they send comes by a role that would be denied
    (``AWSServiceRoleForDynamoDBReplication``).

    Args:
        table: as DescribeTable shows it.

    Raises:
        ConfigError: it is one.
    """
    if table.get("Replicas"):
        raise ConfigError(
            f"{on} is a replica of a global table: a policy here would not keep writers from the "
            "others, and would break the replication between them.",
            "stop the writers, and switch over without --freeze",
        )


def _compact(document: Document) -> str:
    """A policy without spaces: they count, and 20 KB are the most (developer guide, as above)."""
    return json.dumps(document, separators=(",", ":"))


def _statements(document: Document) -> list[Document]:
    found = document.get("Statement", [])
    return list(found) if isinstance(found, list) else [found]

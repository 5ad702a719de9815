"""A table's resource policy as DynamoDB keeps it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "PutResourcePolicy")


class Table:
    """A table's policy as DynamoDB keeps it: by revision, and shown some readings later.

    Attributes:
        stale: how many readings after a change show what was there before.
        refused: what the next changes are answered with.
        gone: it was deleted.
        hidden: how many readings say that there is no such table, though there is.
    """

    def __init__(self, text: str | None = None, stale: int = 0) -> None:
        self.text = text
        self.stale = stale
        self.refused: list[str] = []
        self.changes = 0
        self.gone = False
        self.hidden = 0
        self._revision = 1
        self._shown = [(text, 1)]

    def describe_table(self, **_: str) -> None:
        if self.gone:
            raise refusal("ResourceNotFoundException")

    def get_resource_policy(self, **_: str) -> dict[str, str]:
        if self.gone or self.hidden:
            self.hidden -= 1
            raise refusal("ResourceNotFoundException")
        text, revision = self._shown.pop(0) if len(self._shown) > 1 else self._shown[0]
        if text is None:
            raise refusal("PolicyNotFoundException")
        return {"Policy": text, "RevisionId": str(revision)}

    def put_resource_policy(self, **asked: str) -> None:
        self._change(asked["Policy"], asked["ExpectedRevisionId"])

    def delete_resource_policy(self, **asked: str) -> None:
        self._change(None, asked["ExpectedRevisionId"])

    def by_another(self, *statements: dict[str, Any]) -> None:
        """Somebody else replaces the policy."""
        self._change(json.dumps({"Statement": list(statements)}), None)

    def _change(self, text: str | None, expected: str | None) -> None:
        if expected and self.refused:
            raise refusal(self.refused.pop(0))
        now = str(self._revision) if self.text else "NO_POLICY"
        if expected not in (None, now):
            raise refusal("PolicyNotFoundException")
        before = (self.text, self._revision)
        self.text, self._revision, self.changes = text, self._revision + 1, self.changes + 1
        self._shown = [before] * self.stale + [(text, self._revision)]

    @property
    def statements(self) -> list[dict[str, Any]]:
        found = json.loads(self.text)["Statement"] if self.text else []
        return found if isinstance(found, list) else [found]

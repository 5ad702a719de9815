"""What a live copy is about to lay, in rows beside KCL's own state: whoever goes on looks there.

Each of a part's processes has a row, which the process that forked them writes before they lay
what it names, over what they named before: that rests by then. A row holds keys, never other
attributes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import orjson

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import scan, text
from kcl_processor.fleet.own_rows import Row, replace_own, without_key
from kcl_processor.table.held_row import PartTaken
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_reader import Segment

PREFIX = "KclProcessorCopyAhead-"


@dataclass(frozen=True, slots=True)
class Ahead:
    """A process's report of what it lays next."""

    pairs: list[Pair]


class AheadRows:
    """The rows of one part.

    Args:
        part: counted from 0.
        rules: the digest of those that the items are laid by; empty for none.
    """

    def __init__(self, task: Task, part: Segment, rules: str = "") -> None:
        self._task = task
        self._part = part
        self._rules = rules
        self._rows: dict[str, Row] = {}
        self._named: dict[str, Row] = {}

    def load(self, token: str, *, of_all: bool) -> list[Pair]:
        """What earlier runs have named, and nobody may have looked at.

        By other rules it was to lie elsewhere, where something else may lie now: whoever changes
        the rules is told to verify what there is.

        Args:
            token: this copy's.
            of_all: also what parts of other copies have named that this copy has no such part for.

        Raises:
            ConfigError: a row cannot be read.
            OperatorError, PermissionDenied: the table cannot be.
        """
        found = scan(clients.checkpoints(self._task), table_names(self._task).coordinator) or []
        for item in found:
            key = text(item, "key") or ""
            row = without_key(item)
            others = of_all and key.startswith(PREFIX) and row["token"]["S"] != token
            # Another part of this copy looks at what its own predecessor has named.
            nobodys = others and f"-of-{self._part.total}-" not in key
            if nobodys or key.startswith(self._prefix()):
                self._rows[key] = row
        ours = {key: row for key, row in self._rows.items() if row["rules"]["S"] == self._rules}
        return [pair for key, row in ours.items() for pair in _pairs(key, row)]

    def hear(self, token: str, worker: int, ahead: Ahead) -> None:
        """A process is about to lay; :meth:`save` comes before it does."""
        keys = [
            [pair.key.decode(), pair.origin.decode() if pair.origin not in (None, pair.key) else ""]
            for pair in ahead.pairs
        ]
        self._named[f"{self._prefix()}{worker}"] = {
            "token": {"S": token},
            "rules": {"S": self._rules},
            "keys": {"B": zlib.compress(orjson.dumps(keys))},
        }

    def save(self) -> None:
        """Make durable what was heard.

        Raises:
            PartTaken: another process writes this part's rows.
            OperatorError, PermissionDenied: they cannot be written.
        """
        while self._named:
            key, row = next(iter(self._named.items()))
            if not replace_own(self._task, key, self._rows.get(key), row):
                raise PartTaken(
                    f"Part {self._part.number}/{self._part.total} of the copy of task "
                    f"{self._task.name} is at work elsewhere: {key} is not as it was written here.",
                    "start this again: it goes on from there, or says who is at work",
                )
            self._rows[key] = row
            del self._named[key]

    def clear(self) -> None:
        """Forget what rests; a row that is another's by now stays.

        Raises:
            OperatorError, PermissionDenied: they cannot be removed.
        """
        for key, row in self._rows.items():
            replace_own(self._task, key, row, None)
        self._rows.clear()

    def _prefix(self) -> str:
        return f"{PREFIX}{self._part.number}-of-{self._part.total}-"


def _pairs(key: str, row: Row) -> list[Pair]:
    try:
        keys = orjson.loads(zlib.decompress(row["keys"]["B"]))
        return [Pair(one.encode(), (origin or one).encode()) for one, origin in keys]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"What a live copy was about to lay, in {key}, cannot be read: {error}.",
            "go on with the version that wrote it",
        ) from error

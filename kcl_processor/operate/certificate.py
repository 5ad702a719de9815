"""What a switchover proved: which tables, when, where each shard ends, that nothing differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from kcl_processor.clock import utc
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.operate.writer_watch import ShardEnd


@dataclass(frozen=True)
class Proof:
    """What a comparison of both tables came to; counts are items.

    Attributes:
        laid: those of the source that the rules lay at the destination; all of them without rules.
        kept: at the destination alone: time to live deleted them, and ``ttl_deletes`` keeps them.
        differing: keys that differ.
        unsure: keys of which it is not known whether they do.
    """

    source: int
    laid: int
    destination: int
    kept: int
    differing: int
    unsure: int


@dataclass(frozen=True)
class Certificate:
    """A switchover's end. Moments are seconds since the epoch.

    Attributes:
        host: where it was made.
        rules: the digest of the rules between both tables; empty for none.
        quiet_since: no writer's change was made at the source between this and ``certified_at``, as
            far as the stream shows.
        shards: every shard that was not read to its end before, and where it ends.
        expired: what time to live deleted meanwhile.
        frozen: whether a policy of ours denies writes at the source.
    """

    task: str
    host: str
    source: Incarnation
    stream: str
    destination: Incarnation
    rules: str
    begun_at: float
    quiet_since: float
    certified_at: float
    shards: tuple[ShardEnd, ...]
    proof: Proof
    expired: int
    frozen: bool

    def as_json(self) -> dict[str, Any]:
        """The whole, for machines; :meth:`read` reads it."""
        return {
            "task": self.task,
            "certified_at": _utc(self.certified_at),
            "begun_at": _utc(self.begun_at),
            "quiet_since": _utc(self.quiet_since),
            "host": self.host,
            "source": str(self.source),
            "stream": self.stream,
            "destination": str(self.destination),
            "rules": self.rules or None,
            "differences": self.proof.differing,
            "items_compared": self.proof.source,
            "items_laid": self.proof.laid,
            "items_at_destination": self.proof.destination,
            "items_kept": self.proof.kept,
            "expired_meanwhile": self.expired,
            "writes_denied": self.frozen,
            "shards": [
                {"shard": end.shard, "last_sequence_number": end.last, "closed": end.closed}
                for end in self.shards
            ],
        }

    def text(self) -> str:
        """The same as one text, as it is kept."""
        return json.dumps(self.as_json())

    @classmethod
    def read(cls, text: str) -> Self:
        """That of a text which :meth:`text` made.

        Raises:
            ValueError, KeyError: it is no such text.
        """
        told = json.loads(text)
        return cls(
            task=told["task"],
            host=told["host"],
            source=Incarnation.read(told["source"]),
            stream=told["stream"],
            destination=Incarnation.read(told["destination"]),
            rules=told["rules"] or "",
            begun_at=_moment(told["begun_at"]),
            quiet_since=_moment(told["quiet_since"]),
            certified_at=_moment(told["certified_at"]),
            shards=tuple(
                ShardEnd(one["shard"], one["last_sequence_number"], one["closed"])
                for one in told["shards"]
            ),
            proof=Proof(
                source=told["items_compared"],
                laid=told["items_laid"],
                destination=told["items_at_destination"],
                kept=told["items_kept"],
                differing=told["differences"],
                unsure=0,
            ),
            expired=told["expired_meanwhile"],
            frozen=told["writes_denied"],
        )

    def lines(self) -> Iterator[str]:
        """The same for people."""
        proof, name = self.proof, self.task
        at = _utc(self.certified_at)
        yield f"{name}: both tables were equal at {at}, and nothing was on its way"
        rows = {
            "source": self.source,
            "stream": self.stream,
            "destination": self.destination,
            "begun": f"{_utc(self.begun_at)} on {self.host}",
            "no writer's change since": _utc(self.quiet_since),
            "items compared": f"{proof.source:,}{self._of_rules()}",
            "items at the destination": f"{proof.destination:,}",
            "differences": proof.differing,
            "deleted by time to live meanwhile": self.expired,
            "writes at the source": "denied" if self.frozen else "not denied",
        }
        width = max(map(len, rows))
        yield from (f"{what.ljust(width)}  {said}" for what, said in rows.items())
        for end in self.shards:
            closed = ", closed" if end.closed else ""
            yield f"{end.shard}  ends at {end.last or 'its begin: it is empty'}{closed}"

    def _of_rules(self) -> str:
        proof = self.proof
        parts = [f"{proof.laid:,} laid by the rules"] if self.rules else []
        parts += [f"{proof.kept:,} kept at the destination alone"] if proof.kept else []
        return f" ({', '.join(parts)})" if parts else ""


def _utc(moment: float) -> str:
    return utc(moment, "milliseconds")


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()

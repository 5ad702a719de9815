"""Gaps that a task passed: changes that left the stream unread, one JSON object a line.

The daemon (``Gaps.java``) and the claim of a start write them, in one form: ``at``,
``shard``, ``checkpoint``, ``from``, ``to`` and ``reason``; times are ISO 8601 in UTC, unknown ones
``null``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import orjson

from kcl_processor.clock import utc
from kcl_processor.config.paths import settled
from kcl_processor.state.durable import append_line, read_lines


@dataclass(frozen=True)
class Gap:
    """One gap.

    Attributes:
        at: when it was passed, seconds since the epoch.
        shard: ``None`` for a stream that was made anew.
        checkpoint: the last position that was read, or the ARN of the stream that is gone.
        since, until: no missing change is older, or younger.
    """

    at: float
    shard: str | None
    checkpoint: str
    since: str | None
    until: str | None
    reason: str

    @property
    def name(self) -> str:
        """Tells it from all others."""
        return f"{utc(self.at, 'milliseconds')} {self.shard} {self.checkpoint}"


def note_gap(path: Path, gap: Gap) -> None:
    """Write a gap down; returns when it is on the disk.

    Raises:
        OSError: it is not.
    """
    line = asdict(gap) | {"at": utc(gap.at, "milliseconds")}
    line["from"], line["to"] = line.pop("since"), line.pop("until")
    append_line(path, orjson.dumps(line) + b"\n")


def noted_gaps(path: Path) -> Iterator[Gap]:
    """The gaps of a file in their order; none when there is no file. Torn lines are passed over.

    Raises:
        ConfigError: the file is there and cannot be read: there may be gaps in it.
    """
    for line in read_lines(path, "gaps"):
        try:
            yield _gap(json.loads(line))
        except (ValueError, TypeError, AttributeError):
            continue


def open_gaps(path: Path) -> list[Gap]:
    """The gaps of a file that nobody has healed.

    Raises:
        ConfigError: as :func:`noted_gaps`.
    """
    healed = set(read_lines(settled(path), "settled gaps"))
    return [gap for gap in noted_gaps(path) if gap.name.encode() not in healed]


def settle_gap(path: Path, gap: Gap) -> None:
    """Note that what a gap lost has been made good.

    Raises:
        OSError: it cannot be noted.
    """
    append_line(settled(path), gap.name.encode() + b"\n")


def _gap(noted: dict[str, str | None]) -> Gap:
    return Gap(
        at=datetime.fromisoformat(str(noted.get("at"))).timestamp(),
        shard=noted.get("shard"),
        checkpoint=str(noted.get("checkpoint")),
        since=noted.get("from"),
        until=noted.get("to"),
        reason=str(noted.get("reason")),
    )

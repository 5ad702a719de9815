"""What is missing at the end, and whether the product had said so.

A key whose last change was trimmed from the stream before it was read can be no fault: but the
product must have told the gap. So each key that differs is one of

- `told`: its last change left the stream, and a gap that the product told covers it;
- `silent`: its last change left the stream before it arrived, and no gap covers it;
- `lost`, `extra` or `stale`: neither, and the destination has no item, one that is deleted at the
  source, or an older one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kcl_processor.state.gaps import Gap

FAULTS = ("lost", "stale", "extra", "silent")
_NAMED = 10


@dataclass(frozen=True)
class Verdict:
    """How many keys ended in each way; `examples` are at most ten of each."""

    lost: int = 0
    stale: int = 0
    extra: int = 0
    silent: int = 0
    told: int = 0
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing is missing but what was told."""
        return not (self.lost or self.stale or self.extra or self.silent)


def judge(differences: Iterable[Mapping[str, Any]], gaps: Iterable[Gap]) -> Verdict:
    """Judge what the simulator found to differ, by the gaps that were told."""
    told = list(gaps)
    found: dict[str, list[dict[str, Any]]] = {}
    for difference in differences:
        found.setdefault(_way(difference, told), []).append(dict(difference))
    counts = {way: len(keys) for way, keys in found.items()}
    examples = {way: keys[:_NAMED] for way, keys in found.items() if way != "told"}
    return Verdict(**counts, examples=examples)


def _way(difference: Mapping[str, Any], told: list[Gap]) -> str:
    left = difference["shard"] is not None and not difference["in_stream"]
    # It may have arrived before: a reader that begins at its checkpoint lays older images over it.
    if left and any(covers(gap, difference) for gap in told):
        return "told"
    if left and difference["arrived"] < difference["version"]:
        return "silent"
    kind = str(difference["kind"])
    return "stale" if kind == "different" else kind


def covers(gap: Gap, change: Mapping[str, Any]) -> bool:
    """Whether a change is one of those that a gap says are missing.

    A record's time is in whole seconds, and so is the end of a gap.
    """
    if gap.shard != change["shard"]:
        return False
    if gap.checkpoint.isdigit() and int(change["sequence"]) <= int(gap.checkpoint):
        return False
    end = datetime.fromisoformat(gap.until).timestamp() + 1 if gap.until else math.inf
    return bool(change["created"] < end)

"""The judge: what arrived at the destination, and whether it ended where the source is.

Definitions
-----------
A put carries its version in `ver`. A deletion carries none, but the source deletes an item only
once. A write of an item or a deletion that the source never made is `foreign`.

An arrival is a `repeat` if its version is the newest that arrived of its key, and goes
*backwards* if it is lower. A step backwards is
- `replay`: its writer appeared after the writer of the newer version. This is what a restart does:
  it writes again from the last checkpoint.
- `stale`: its writer is older than the writer of the newer version: a worker that lost its lease
  and went on writing, or a parent shard that was not done when its child began.
- `regressed`: its writer had itself written the newer version: reordering within one process.
A writer is the value of the header `x-kcl-processor-worker`, else the process at the other end of
the connection (judged by the port, on this host only), else the User-Agent; writers are ordered by
their first write. A worker that keeps its name over a restart must send something that changes.

At the end a key is `lost` (live at the source, absent at the destination), `extra` (the other way
round) or `different` (both live, contents differ). Coalescing may skip versions: no fault.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from integration.simulator.items import Key, canonical, key_of, number_of
from integration.simulator.shards import Change
from integration.simulator.source import Source


@dataclass(slots=True)
class _Newest:
    version: int
    writer: int


class Judge:
    """Records arrivals and compares the ends."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._newest: dict[int, _Newest] = {}
        self._last: dict[int, int | None] = {}
        self._writers: dict[str, int] = {}
        self._foreign = 0
        self.reset()

    def reset(self) -> None:
        """Begin the counts and the measurements anew; what has arrived stays known."""
        self.counts = dict.fromkeys(("writes", "repeat", "replay", "stale", "regressed"), 0)
        self.backwards: list[dict[str, Any]] = []
        self._latencies = array("f")
        self._last_write: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        self._shard_writes: dict[str, list[float]] = {}

    def arrived(self, key: Key, version: int | None, writer: str) -> None:
        """Record a write that was applied; `version` is None for a deletion."""
        number = number_of(key)
        history = self._source.history.get(number, []) if number is not None else []
        at = self._source.deletions.get(number or 0, 0) if version is None else version
        if number is None or not 1 <= at <= len(history):
            self._foreign += 1
            return
        newest = self._newest.get(number)
        known = newest.version if newest else 0
        self._last[number] = version
        order = self._writers.setdefault(writer, len(self._writers))
        self.counts["writes"] += 1
        if at > known:
            self._newest[number] = _Newest(at, order)
            self._measure(history[at - 1])
        elif at == known:
            self.counts["repeat"] += 1
        elif newest is not None:
            self._backwards(number, at, newest, order, writer)

    def _backwards(
        self, number: int, version: int, newest: _Newest, order: int, writer: str
    ) -> None:
        kind = "regressed"
        if order != newest.writer:
            kind = "replay" if order > newest.writer else "stale"
        self.counts[kind] += 1
        if kind != "replay" and len(self.backwards) < 20:
            self.backwards.append(
                {
                    "kind": kind,
                    "key": key_of(number)[0],
                    "version": version,
                    "after": newest.version,
                    "writer": writer,
                    "at": round(time.time(), 3),
                }
            )

    def _measure(self, change: Change) -> None:
        now = time.time()
        self._latencies.append((now - change.created) * 1000)
        lineage = self._source.lineage_of(change)
        if lineage in self._last_write:
            pause = now - self._last_write[lineage]
            self._pauses[lineage] = max(pause, self._pauses.get(lineage, 0.0))
        self._last_write[lineage] = now
        span = self._shard_writes.setdefault(change.shard, [now, now])
        span[1] = now

    def behind(self) -> int:
        """Return how many keys did not have their last version as their last arrival."""
        return sum(
            self._last.get(number, 0) != (None if past[-1].event == "REMOVE" else past[-1].version)
            for number, past in self._source.history.items()
        )

    def measurements(self) -> dict[str, Any]:
        """Return counts, latencies (ms) and pauses (s), and when versions first arrived (epoch)."""
        return {
            **self.counts,
            "foreign": self._foreign,
            "first_write": min((first for first, _ in self._shard_writes.values()), default=None),
            "last_write": max((last for _, last in self._shard_writes.values()), default=None),
            "writers": len(self._writers),
            "latency_ms": _percentiles(sorted(self._latencies)),
            "longest_pause_s": {str(k): round(v, 3) for k, v in sorted(self._pauses.items())},
            "rollover_pauses_s": self._rollover_pauses(),
            "backwards": self.backwards,
        }

    def _rollover_pauses(self) -> list[float]:
        pauses = []
        for shard, (first, _) in self._shard_writes.items():
            parent = self._source.parent_of(shard)
            if parent in self._shard_writes:
                pauses.append(round(first - self._shard_writes[parent][1], 3))
        return pauses

    def has_met(self, change: Change) -> bool:
        """Return whether this change of its key has arrived, or a later one."""
        newest = self._newest.get(change.number)
        return newest is not None and newest.version >= change.version

    def unlike(self, destination: Mapping[Key, bytes]) -> dict[str, list[Key]]:
        """Compare every key of both ends; return those that are lost, extra or different."""
        found: dict[str, list[Key]] = {"lost": [], "extra": [], "different": []}
        for key, item in self._source.items():
            if key not in destination:
                found["lost"].append(key)
            elif not _same(item, destination[key]):
                found["different"].append(key)
        found["extra"] = [key for key in destination if key not in self._source]
        return found

    def differences(self, destination: Mapping[Key, bytes]) -> list[dict[str, Any]]:
        """Return each key that differs, with the last change that the source made of it.

        `in_stream` tells whether that change can still be read; a key that the source never had
        has no change.
        """
        return [
            {"key": key[0], "kind": kind, **self._last_change(key)}
            for kind, keys in self.unlike(destination).items()
            for key in keys
        ]

    def _last_change(self, key: Key) -> dict[str, Any]:
        number = number_of(key)
        history = self._source.history.get(number) if number is not None else None
        if not history:
            return {"shard": None}
        last, newest = history[-1], self._newest.get(history[-1].number)
        return {
            "shard": last.shard,
            "sequence": str(last.sequence),
            "created": last.created,
            "version": last.version,
            "arrived": newest.version if newest else 0,
            "in_stream": self._source.in_stream(last),
        }

    def counted(self, destination: Mapping[Key, bytes]) -> dict[str, Any]:
        """Count the keys that differ; examples name at most ten of each kind."""
        found = {kind: [key[0] for key in keys] for kind, keys in self.unlike(destination).items()}
        return {
            **{kind: len(keys) for kind, keys in found.items()},
            "equal": not any(found.values()),
            "examples": {kind: keys[:10] for kind, keys in found.items()},
        }


def _same(left: bytes, right: bytes) -> bool:
    return left == right or canonical(orjson.loads(left)) == canonical(orjson.loads(right))


def _percentiles(ordered: list[float]) -> dict[str, float | None]:
    if not ordered:
        return {"p50": None, "p99": None, "max": None}
    places = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "max": -1}
    return {name: round(ordered[place], 1) for name, place in places.items()}

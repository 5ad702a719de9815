"""How far a verification is, and what it came to: its figures, what they mean under rules, and its
exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from kcl_processor.cli.output import print_json, print_rows
from kcl_processor.cli.progress import LineRate
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode
from kcl_processor.table.compare import WINDOWS_BYTES
from kcl_processor.table.verify_share import SegmentResult
from kcl_processor.table.verify_task import Verified, VerifyOptions

_COUNTS = ("source", "destination", "missing", "extra", "changed", "undecided")
_RULED = (
    *("source", "laid", "destination", "missing", "extra", "changed"),
    *("kept", "untraced", "colliding", "failed", "undecided"),
)
# How many there are: all else that is counted is not just equal.
_ITEMS = frozenset({"source", "laid", "destination"})
# What rules may come to that is no difference, or none that a repair mends; in words.
_MEANINGS = {
    "kept": "{} items are kept that the source holds no more (ttl_deletes: skip), whoever deleted "
    "them there; --repair --delete-extra --delete-kept deletes them.",
    "untraced": "{} items of the destination do not carry the key of the source's item that they "
    "come from, so whether they are extra is not known; they are left.",
    "colliding": "{} items of the source are laid to a key where the destination holds another's.",
    "failed": "The rules fail for {} items of the source: they are neither equal nor different.",
}
_NONE_EXTRA = (
    "{} items of the destination do not carry the key of the source's item that they come from; "
    "but all keys there are such as the rules lay, so none is extra."
)
_LINE_INTERVAL = 10.0
_SELDOM_INTERVAL = 300.0
# Keys that settled in numbers that changes on their way do not explain.
_MANY = 100
_COLLISION_HINT = (
    "make the destination's key from the whole of the source's, or say transform.allow_collisions: "
    "true"
)


class ComparisonLines:
    """Tells on stderr how far a comparison is, every ten seconds.

    Args:
        seldom: every five minutes: what goes on for days is for a log.
    """

    def __init__(self, name: str, clock: Clock, *, seldom: bool = False) -> None:
        self._name = name
        self._rate = LineRate(clock, _SELDOM_INTERVAL if seldom else _LINE_INTERVAL)

    def tell(self, results: Sequence[SegmentResult], pending: int) -> None:
        """Tell it, if it is time; ``pending`` are suspects."""
        if not self._rate.is_due():
            return
        done = sum(result.done for result in results)
        items = sum(result.source for result in results)
        found = sum(result.differing for result in results)
        print(
            f"{self._name}  {done} of {len(results)} segments  {items:,} items  {found} differ  "
            f"{pending} looked at again",
            file=sys.stderr,
            flush=True,
        )


def exit_code(verified: Verified, task: Task) -> int:
    """0 equal, 1 different, 4 nothing differs for sure but not all could be compared."""
    results = verified.results
    if any(result.differing for result in results) or _collides(verified, task):
        return ExitCode.CRASH
    if verified.has_strays or any(result.undecided or result.failed for result in results):
        return ExitCode.UNKNOWN
    return ExitCode.OK


def print_result(
    verified: Verified,
    task: Task,
    options: VerifyOptions,
    *,
    as_json: bool,
    by: str = "segment",
) -> None:
    """Print the figures of each segment and their sums, and what is to be known of them.

    Args:
        by: what they are figures of, if not of segments.
    """
    counts = _RULED if task.is_ruled else _COUNTS
    counts = (*counts, "equal_again") if options.repair else counts
    rows: list[dict[str, Any]] = [
        {by: result.segment, **{name: getattr(result, name) for name in counts}}
        for result in verified.results
    ]
    total = {name: sum(row[name] for row in rows) for name in counts}
    differing = sum(result.differing for result in verified.results)
    if as_json:
        settled = verified.settled
        print_json({f"{by}s": rows, "total": total, "differing": differing, "settled": settled})
    else:
        for row, result in zip(rows, verified.results, strict=True):
            row[by] = f"{result.segment} !" if result.differing else str(result.segment)
        if sys.stdout.isatty():
            # There may be a thousand, and it is the others that a person looks for.
            rows = [row for row in rows if any(row[name] for name in counts if name not in _ITEMS)]
        rows.append({by: "total", **total})
        print_rows(rows, (by, *counts))
        print(
            f"{differing} differ, {total['undecided']} undecided "
            f"({verified.settled} equal when read again)"
        )
    meanings = _MEANINGS if verified.has_strays else {**_MEANINGS, "untraced": _NONE_EXTRA}
    for name, words in meanings.items():
        if total.get(name):
            print(words.format(f"{total[name]:,}"), file=sys.stderr)
    _tell_order(verified.settled, total["source"], is_ruled=task.is_ruled)
    if _collides(verified, task):
        print(f"Try: {_COLLISION_HINT}", file=sys.stderr)


def _tell_order(settled: int, items: int, *, is_ruled: bool) -> None:
    """Say so where the comparison had to read most items by their keys, and what that costs."""
    if settled >= _MANY and settled > items // 2:
        rules = "the rules may make other keys, or " if is_ruled else ""
        print(
            f"{settled:,} keys did not meet in the scans and were read again on both sides: {rules}"
            "the two stores do not cut or order a table alike. The result is as good; each such "
            "key costs a strongly consistent read on each side. Try: --segments 1, for tables of "
            f"less than {WINDOWS_BYTES >> 20} MB.",
            file=sys.stderr,
        )


def _collides(verified: Verified, task: Task) -> bool:
    """Whether items collide that are not allowed to."""
    allowed = task.rules is not None and task.rules.allow_collisions
    return not allowed and any(result.colliding for result in verified.results)

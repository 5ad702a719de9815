"""The keys of an earlier report, read for another look; and what has become of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import orjson

from kcl_processor.cli.output import Row, print_json, print_rows
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.recheck import SETTLED, UNDECIDED, Rechecked, Reported
from kcl_processor.table.sides import Kind, Pair

_UNSURE = (UNDECIDED, Kind.FAILED.value, Kind.UNTRACED.value)


def read_report(path: Path) -> list[Reported]:
    """The lines that ``--report`` wrote.

    Raises:
        ConfigError: the file cannot be read, or a line is none of a report.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", "--recheck with the file of a --report"
        ) from error
    return [_reported(path, at, line) for at, line in enumerate(lines, 1)]


def _reported(path: Path, at: int, line: bytes) -> Reported:
    try:
        said = orjson.loads(line)
        key = canonical_key(said["key"])
        origin = said.get("source_key", said["key"])
        pair = Pair(key, None if origin is None else canonical_key(origin))
        return Reported(str(said["kind"]), pair, int(said["segment"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"Line {at} of {path} is no difference that verify has reported.",
            "--recheck with the file of a --report",
        ) from error


def print_rechecked(found: Sequence[Rechecked], task: Task, *, as_json: bool) -> int:
    """Print what has become of each line, and give the exit code.

    The keys themselves are shown as JSON only; elsewhere a line's number stands for them.
    """
    rows: list[Row] = [_row(at, one) for at, one in enumerate(found, 1)]
    counts = Counter(SETTLED if one.is_settled else one.now for one in found)
    if as_json:
        print_json({"keys": rows, "total": counts})
    else:
        with_outcome = any(one.outcome for one in found)
        outcome = ("outcome",) if with_outcome else ()
        print_rows([row for row in rows if not row["settled"]], ("line", "was", "now", *outcome))
        print(f"{counts[SETTLED]} of {len(found)} are settled")
    left = [one.now for one in found if not one.is_settled and one.now != Kind.KEPT.value]
    allowed = task.rules is not None and task.rules.allow_collisions
    if any(now not in _UNSURE and not (allowed and now == Kind.COLLIDING.value) for now in left):
        return ExitCode.CRASH
    return ExitCode.UNKNOWN if any(now in _UNSURE for now in left) else ExitCode.OK


def _row(at: int, one: Rechecked) -> Row:
    reported = one.reported
    return {
        "line": at,
        "key": orjson.loads(reported.pair.key),
        "was": reported.kind,
        "now": one.now,
        "settled": one.is_settled,
        "outcome": one.outcome.value if one.outcome else None,
    }

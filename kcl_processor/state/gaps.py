"""What a task noted on this host for a person to act on: gaps that it passed, dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path


def noted_gaps(path: Path, shard: str, since: float = 0.0) -> int:
    """How many gaps a task's gap file notes for a shard, at ``since`` or later."""
    return sum(
        gap.get("shard") == shard and _moment(gap.get("at")) >= since for gap in json_lines(path)
    )


def json_lines(path: Path) -> Iterable[dict[str, object]]:
    """The objects of a file of JSON lines; nothing when there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _moment(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0

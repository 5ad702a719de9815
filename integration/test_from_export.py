"""From an export of a table that takes live writes to a replica that is proven equal."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration import other_stores
from integration.background import repeating
from integration.copy_tables import Pair
from integration.drill_table import TellRow
from integration.until import until
from integration.worker import Worker
from kcl_processor.errors import ExitCode
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table.copy_progress import load
from tests.table.exported import Written, buckets, whole

FILES = 40
# The number of an item that no writer of the table knows.
MARKER = 9_000_000


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store of buckets that the commands use, too."""
    with other_stores.moto() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        yield buckets(url)


@pytest.mark.parametrize(
    "items",
    [2_000, pytest.param(50_000, marks=[pytest.mark.drill, pytest.mark.timeout(900)])],
    ids=lambda n: f"{n} items",
)
def test_an_export_and_the_stream_become_an_equal_replica(
    local: str, tmp_path: Path, s3: Any, tell_row: TellRow, items: int
) -> None:
    """Items change, come and go since the export was made; its copy is killed twice."""
    pair = Pair(local, tmp_path)
    pair.create()
    pair.fill(range(items))
    export = exported(pair, s3)
    changes = itertools.count()
    with repeating(lambda: change(pair, items, changes), 0.01):
        for share in (0.2, 0.6):
            killed_at(pair, export, int(items * share))
        words = ("copy", "--from-export", export.url)
        with Worker(pair.commands.line(*words), pair.folder / "last.log") as last:
            assert last.wait(300) == ExitCode.OK, last.log()
        progress = load(pair.folder / "orders.copy.json")
        assert progress and progress.items == progress.written == items
        assert progress.started_at == pytest.approx(export.time, abs=0.001)
        with pair.at_work("run"):
            until(lambda: pair.replicates(MARKER), "the daemon has caught up", 120)
            verified = pair.run("verify", "--patience", "5")
            assert verified.returncode == ExitCode.OK, verified.stdout + verified.stderr
    with pair.at_work("run"):
        until(pair.equal, "both sides are equal", 120, every=1)
    speed = f"{items:,} items, {items / progress.seconds:.0f} items/s at work"
    row = pair.row("copy --from-export killed", 2, next(changes), speed)
    tell_row(row)
    assert not row.lost


def exported(pair: Pair, s3: Any) -> Written:
    """An export of the source as it is, which nobody writes to yet."""
    pages = pair.source.get_paginator("scan").paginate(TableName=pair.table)
    found = [item for page in pages for item in page["Items"]]
    table = Incarnation.of(pair.source.describe_table(TableName=pair.table)["Table"])
    # A stream must have been on for some seconds by the export's time.
    moment = max(time.time(), table.created + 6)
    return Written(table, whole(found, FILES), time=moment).write(s3)


def change(pair: Pair, items: int, changes: Iterator[int]) -> None:
    """One live write."""
    next(changes)
    number = random.randrange(items * 11 // 10)
    if random.random() < 0.2:
        pair.delete(pair.source, number)
    else:
        pair.put(pair.source, number, random.randrange(1_000_000))


def killed_at(pair: Pair, export: Written, items: int) -> None:
    """A run of the copy that is killed once it has copied so many items."""
    rate = str(max(200, items))
    command = pair.commands.line("copy", "--from-export", export.url, "--max-wcu", rate)
    with Worker(command, pair.folder / "copy.log") as copy:
        until(lambda: copied(pair) >= items, "some of it is copied", 180)
        assert copy.running(), copy.log()


def copied(pair: Pair) -> int:
    progress = load(pair.folder / "orders.copy.json")
    return progress.items if progress else 0

"""Whole copies of exports, on a moto server: checked, laid, stopped and gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError, GapError, OperatorError, SourceError
from kcl_processor.launch.copy_mark import CopyState, read_mark, settle_mark
from kcl_processor.table.copy_sides import CopyOptions
from kcl_processor.table.copy_task import Copied, run_copy
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.pace import Halt, Halted
from kcl_processor.table.table_reader import Segment
from kcl_processor.transform.rules import Rules
from tests.kcl_tables import identity, make_source_and_destination
from tests.table.copied import state_of
from tests.table.exported import Item, Written, buckets, whole
from tests.table.managed_aws import ManagedAws

HOUR = 3600.0


def items(count: int, size: int = 10) -> list[Item]:
    return [
        {"pk": {"S": f"order-{number}"}, "text": {"S": "x" * size}, "n": {"N": str(number)}}
        for number in range(count)
    ]


class World:
    """A task with an empty source: what is at the destination came from an export."""

    def __init__(self, aws: ManagedAws, url: str, folder: Path, rules: Rules | None = None) -> None:
        self.aws = aws
        self.task = aws.task(url, rules=rules)
        self.client = make_source_and_destination(self.task)
        self.ours = identity(self.task)
        self.folder = folder
        self.s3 = buckets(aws.url)

    def write(
        self,
        count: int = 60,
        files: int = 4,
        size: int = 10,
        hours: float | None = None,
        **made: Any,
    ) -> Written:
        """An export that was made so many hours ago, or just now."""
        if hours is not None:
            made["time"] = time.time() - hours * HOUR
        lines = whole(items(count, size), files)
        return Written(self.ours.source, lines, **made).write(self.s3)

    def copy(
        self,
        export: str | None,
        listener: CopyListener | None = None,
        halt: Halt | None = None,
        **options: Any,
    ) -> Copied:
        chosen = CopyOptions(processes=2, export=export, **options)
        files = TaskFiles(self.task, self.folder)
        return run_copy(files, chosen, listener or CopyListener(), halt or Halt(), SystemClock())

    def held(self) -> list[Item]:
        pages = self.client.get_paginator("scan").paginate(TableName=self.task.destination.table)
        found = (item for page in pages for item in page["Items"])
        return sorted(found, key=lambda item: int(item["n"]["N"]))

    def state(self) -> CopyState | None:
        return state_of(self.task)


Make = Callable[..., World]


@pytest.fixture
def make(managed: tuple[ManagedAws, str], tmp_path: Path) -> Make:
    return lambda **options: World(*managed, tmp_path, **options)


def test_what_an_export_holds_is_laid_and_the_daemon_may_follow(make: Make) -> None:
    """From the stream as of before the export's time, not of the copy's."""
    world = make()
    written = world.write()
    copied = world.copy(written.url)
    assert world.held() == items(60)
    progress = copied.progress
    assert (progress.items, progress.written, progress.expected_items) == (60, 60, 60)
    assert progress.started_at == pytest.approx(written.time, abs=0.001)
    mark = settle_mark(world.task, time.time(), started=False, adopt=False)
    assert mark and mark.state is CopyState.DONE and mark.started_at == progress.started_at
    late = written.time + 23 * HOUR
    with pytest.raises(GapError, match=r"began 23\.0 h ago"):
        settle_mark(world.task, late, started=False, adopt=False)


def test_a_finished_copy_of_another_export_is_not_this_one(make: Make) -> None:
    """Whoever names a newer one is not told that all is done."""
    world = make()
    first = world.write(20)
    world.copy(first.url)
    assert world.copy(first.url).whole
    with pytest.raises(ConfigError, match="was begun of export") as raised:
        world.copy(world.write(30).url)
    assert "--restart" in raised.value.hint and world.held() == items(20)


def test_rules_hold_for_an_export(make: Make) -> None:
    """As for a table."""
    world = make(rules=Rules(where="n > `9`", exclude=("text",)))
    progress = world.copy(world.write(20).url).progress
    assert world.held() == [
        {"pk": {"S": f"order-{number}"}, "n": {"N": str(number)}} for number in range(10, 20)
    ]
    assert (progress.items, progress.written, progress.outside) == (20, 10, 10)


class Stopping(CopyListener):
    """Stops a copy that has written something."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt

    def progress(self, progress: Any) -> None:
        if progress.written:
            self._halt.set()


def test_a_copy_of_an_export_goes_on_where_it_was_stopped(make: Make) -> None:
    """And by its own export only."""
    world = make()
    written = world.write(1500, 5, 500)
    halt = Halt()
    with pytest.raises(Halted):
        # A batch is one unit here: all of them would take two seconds, and a report comes earlier.
        world.copy(written.url, Stopping(halt), halt, max_wcu="30")
    held = len(world.held())
    assert 0 < held < 1500 and world.state() is CopyState.BEGUN
    other = world.write(1)
    for export, told in ((None, "this is the table itself"), (other.url, f"export/{other.id}")):
        with pytest.raises(ConfigError, match=told) as raised:
            world.copy(export)
        assert f"--from-export with the place of {read_export(world)}" in raised.value.hint
    progress = world.copy(written.url).progress
    assert world.held() == items(1500, 500)
    # A page of each segment is read twice at most, and counted once.
    assert progress.items == progress.written == 1500
    assert world.state() is CopyState.DONE


def read_export(world: World) -> str:
    mark = read_mark(world.task)
    assert mark
    return mark.export


def test_an_export_is_copied_in_parts(make: Make) -> None:
    """Each part has its files, and joins no copy of anything else."""
    world = make()
    written, other = world.write(60, 7), world.write(1)
    assert not world.copy(written.url, part=Segment(0, 2)).whole
    for export in (None, other.url):
        with pytest.raises(ConfigError, match="was begun of export"):
            world.copy(export, part=Segment(1, 2))
    assert world.copy(written.url, part=Segment(1, 2)).whole
    assert world.held() == items(60)


Change = Callable[[World, Written], None]


def remove_last(world: World, written: Written) -> None:
    world.s3.delete_object(Bucket=written.bucket, Key=written.data_key(2))


def damage_last(world: World, written: Written) -> None:
    world.s3.put_object(Bucket=written.bucket, Key=written.data_key(2), Body=b"")


@pytest.mark.parametrize(
    ("made", "change", "error", "told"),
    [
        ({}, remove_last, SourceError, "0002.json.gz is missing"),
        ({}, damage_last, SourceError, "0002.json.gz is damaged"),
        ({"form": "ION"}, None, SourceError, "is in the format ION"),
        ({"since": 5.0}, None, SourceError, "is INCREMENTAL_EXPORT"),
        ({"hours": 0.02}, None, SourceError, "what changed between them is in neither"),
        ({"hours": 23.5}, None, GapError, "began 23.5 h ago"),
    ],
)
def test_what_cannot_be_copied_is_refused_before_anything_is_written(
    make: Make,
    made: dict[str, Any],
    change: Change | None,
    error: type[OperatorError],
    told: str,
) -> None:
    """Neither an item nor a mark; the copy is not begun."""
    world = make()
    written = world.write(**made)
    if change:
        change(world, written)
    with pytest.raises(error, match=told):
        world.copy(written.url)
    assert world.held() == [] and world.state() is None
    assert not TaskFiles(world.task, world.folder).copy_progress.exists()


def test_an_export_of_another_table_is_refused(make: Make) -> None:
    """By both names."""
    world, other = make(), make()
    with pytest.raises(SourceError, match=f"{other.task.source.table} .*and is to be of"):
        world.copy(other.write().url)
    assert world.state() is None


def test_an_export_with_a_filter_is_refused(make: Make) -> None:
    """It says so itself nowhere: whoever made it was told."""
    world = make()
    written = world.write()
    arn = written.summary()["exportArn"]
    world.aws.jobs[arn] = {"ExportArn": arn, "ExportStatus": "COMPLETED"}
    world.aws.filtered.add(arn)
    with pytest.raises(SourceError, match="was made with a filter"):
        world.copy(written.url)
    assert world.held() == [] and world.state() is None


def test_a_copy_that_would_end_too_late_is_refused(make: Make) -> None:
    """The hours since the export count."""
    world = make()
    written = world.write(hours=19.9)
    with pytest.raises(ConfigError, match=r"about 20.\d h from the export's time 19.9 h ago"):
        world.copy(written.url, max_wcu="0.1")

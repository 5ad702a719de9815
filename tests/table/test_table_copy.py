"""The copy against a scripted source and a recording destination."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ConfigError, PoisonError, SourceError
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.doubt import WINDOW
from kcl_processor.replicate.write import Writer
from kcl_processor.table.copy_book import CopyBook
from kcl_processor.table.copy_progress import CopyProgress, SegmentProgress, load, save
from kcl_processor.table.pace import Gate, Halt, Pace
from kcl_processor.table.patience import PatientCalls
from kcl_processor.table.scan import SegmentCursor
from kcl_processor.table.table_copy import (
    CopyReport,
    PacedDestination,
    StopOnRefusedItem,
    TableCopy,
)
from kcl_processor.table.table_reader import Segment, TableReader
from tests.fakes import INVALID, LOST, THROTTLED, HandClock, OpenFence, RecordingDestination

SEGMENTS, PAGES, ITEMS = 3, 4, 5
THROTTLING = Answer(400, "ThrottlingException", "slow down")


class ScriptedEndpoint:
    """A source of three segments of four pages of five items.

    Args:
        answer: given a segment, a page and how often it was asked for, another answer to make.
    """

    def __init__(
        self,
        answer: Callable[[int, int, int], Answer | None] = lambda _segment, _page, _times: None,
    ) -> None:
        self.asked: list[tuple[int, int]] = []
        self._answer = answer

    def call(self, operation: str, body: bytes) -> Answer:
        assert operation == "Scan"
        request = orjson.loads(body)
        segment = request["Segment"]
        after = request.get("ExclusiveStartKey")
        page = 0 if after is None else int(after["pk"]["S"].split(".")[1]) + 1
        self.asked.append((segment, page))
        other = self._answer(segment, page, self.asked.count((segment, page)))
        return other or self._page(segment, page)

    def _page(self, segment: int, page: int) -> Answer:
        items = [{"pk": {"S": f"{segment}.{page}.{n}"}, "n": {"N": "1"}} for n in range(ITEMS)]
        body: dict[str, Any] = {"Items": items, "ConsumedCapacity": {"CapacityUnits": 2.5}}
        if page < PAGES - 1:
            body["LastEvaluatedKey"] = {"pk": items[-1]["pk"]}
        return Answer(200, body=body)


def new_progress() -> CopyProgress:
    """A copy that has not begun."""
    segments = [SegmentProgress() for _ in range(SEGMENTS)]
    return CopyProgress("s", "d", "stream", 60, 6000, 0.0, segments)


def copy(
    endpoint: ScriptedEndpoint,
    destination: RecordingDestination,
    path: Path,
    on_turn: Callable[[], None] = lambda: None,
    writers_clock: HandClock | None = None,
) -> CopyProgress:
    """Copy from where ``path`` is, to the end."""
    clock, halt = SystemClock(), Halt()
    writers_clock = writers_clock or HandClock()
    progress = load(path) or new_progress()
    open_pace = Pace(None, clock, halt.wait)
    calls = PatientCalls(
        "orders", endpoint, SourceError, open_pace, Gate(Window()), clock, halt.wait
    )
    reader = TableReader(calls, ["pk"], 100)
    with ThreadPoolExecutor(8) as pool, ThreadPoolExecutor(8) as scans:
        writer = Writer(
            PacedDestination(destination, open_pace),
            StopOnRefusedItem("orders", "replica"),
            writers_clock,
            writers_clock.turn,
            Window(largest=4, size=4),
            pool,
            backoff=lambda _attempts: 0.0,
            on_progress=on_turn,
        )
        book = CopyBook(progress, lambda progress: save(path, progress), clock)
        cursors = (
            SegmentCursor(reader, Segment(number, SEGMENTS), segment.after)
            for number, segment in enumerate(progress.segments)
            if not segment.done
        )

        def tell(report: CopyReport) -> None:
            book.hear(0, report)
            book.save()
            on_turn()

        book.save()
        TableCopy(reader, writer, cursors, scans, halt, tell, OpenFence()).run()
        book.close()
    return progress


def keys(*numbers: str) -> set[bytes]:
    """Canonical keys."""
    return {canonical_key({"pk": {"S": number}}) for number in numbers}


ALL = keys(*(f"{s}.{p}.{i}" for s in range(SEGMENTS) for p in range(PAGES) for i in range(ITEMS)))


def test_copies_every_page_of_every_segment_once(tmp_path: Path) -> None:
    """Each page is asked for once and written once, and the figures say so."""
    endpoint, destination = ScriptedEndpoint(), RecordingDestination()
    progress = copy(endpoint, destination, tmp_path / "progress")
    assert destination.items.keys() == ALL
    assert sorted(endpoint.asked) == [(s, p) for s in range(SEGMENTS) for p in range(PAGES)]
    assert sum(map(len, destination.attempts)) == len(ALL)
    assert (progress.items, progress.written, progress.read_units) == (60, 60, 30.0)
    assert load(tmp_path / "progress") == progress
    assert progress.finished_at is not None


def test_a_throttled_page_is_asked_for_again(tmp_path: Path) -> None:
    """Throttling on either side costs attempts and no item."""
    endpoint = ScriptedEndpoint(lambda _segment, _page, times: THROTTLING if times < 2 else None)
    destination = RecordingDestination(lambda _changes, n: THROTTLED if n % 2 else None)
    progress = copy(endpoint, destination, tmp_path / "progress")
    assert destination.items.keys() == ALL
    assert progress.read_throttled == SEGMENTS * PAGES
    assert progress.write_throttled > 0


def test_a_copy_is_not_done_while_a_write_of_it_may_land(tmp_path: Path) -> None:
    """The daemon comes next, and what was lost on its way must not land on what it writes."""
    clock = HandClock()
    lost: list[Change] = []

    def lose(changes: Sequence[Change], attempt: int) -> Answer | None:
        lost.extend(changes if attempt == 1 else ())
        return LOST if attempt == 1 else None

    destination = RecordingDestination(lose)
    progress = copy(ScriptedEndpoint(), destination, tmp_path / "progress", writers_clock=clock)
    assert clock.seconds >= 1000 + WINDOW
    assert {change.key for change in destination.attempts[-1]} == {change.key for change in lost}
    assert (progress.items, progress.written) == (60, 60) and progress.finished_at


@pytest.mark.parametrize("die_at", range(1, 5))
def test_a_copy_that_died_goes_on_and_repeats_at_most_a_page_a_segment(
    tmp_path: Path, die_at: int
) -> None:
    """Whatever the moment: a write that was applied but not saved is repeated, nothing more."""

    class Died(BaseException):
        pass

    def die(_changes: Any, attempt: int) -> None:
        if attempt == die_at:
            raise Died

    first = RecordingDestination(die)
    with pytest.raises(Died):
        copy(ScriptedEndpoint(), first, tmp_path / "progress")
    second = RecordingDestination()
    progress = copy(ScriptedEndpoint(), second, tmp_path / "progress")
    assert first.items.keys() | second.items.keys() == ALL
    assert len(first.items.keys() & second.items.keys()) <= SEGMENTS * ITEMS
    assert progress.items == progress.written == len(ALL)


def test_the_progress_file_holds_keys_alone_and_is_private(tmp_path: Path) -> None:
    """No value of an item but its key reaches the disk."""
    path = tmp_path / "progress"

    def stop() -> None:
        found = load(path)
        if found and any(segment.after for segment in found.segments):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(ScriptedEndpoint(), RecordingDestination(), path, stop)
    progress = load(path)
    assert progress is not None
    assert {tuple(segment.after) for segment in progress.segments if segment.after} == {("pk",)}
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_item_that_is_never_accepted_ends_the_copy_without_its_values(tmp_path: Path) -> None:
    """The error names the key's attributes, not the key."""
    with pytest.raises(PoisonError, match="key attributes pk") as stopped:
        copy(
            ScriptedEndpoint(),
            RecordingDestination(lambda _changes, _n: INVALID),
            tmp_path / "progress",
        )
    assert "0.0" not in stopped.value.message


def test_a_source_that_refuses_ends_the_copy(tmp_path: Path) -> None:
    """An error that will not pass is not retried."""
    gone = Answer(400, error="ResourceNotFoundException", message="no such table")
    endpoint = ScriptedEndpoint(lambda _segment, page, _times: gone if page == 2 else None)
    with pytest.raises(SourceError, match="dynamodb:Scan on table orders failed"):
        copy(endpoint, RecordingDestination(), tmp_path / "progress")


def test_a_broken_progress_file_is_named(tmp_path: Path) -> None:
    """It is neither ignored nor overwritten."""
    path = tmp_path / "progress"
    path.write_text('{"version": 1, "segments": ')
    with pytest.raises(ConfigError, match=r"progress cannot be read"):
        load(path)

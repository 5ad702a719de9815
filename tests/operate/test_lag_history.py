"""How far behind a task was, over the last day."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcl_processor.config.paths import half_written
from kcl_processor.operate.lag_history import KEPT, SPAN, LagHistory, Reading

NOW = 1_800_000_000.0


def test_what_was_read_is_there_after_a_restart(tmp_path: Path) -> None:
    """What was not known stays unknown, and is no 0."""
    path = tmp_path / "orders.lag.jsonl"
    history, readings = LagHistory(path), [Reading(NOW, 12.3, 86_387.7), Reading(NOW + 60, 0, None)]
    unknown = Reading(NOW + 120, None, None)
    for reading in (*readings, unknown):
        history.add(reading)
    assert LagHistory(path).since(0) == [*readings, unknown]
    assert LagHistory(path).since(NOW + 1) == [readings[1], unknown]


def test_it_holds_a_day_and_no_more(tmp_path: Path) -> None:
    """By the clock, by their number, and in bytes."""
    path = tmp_path / "orders.lag.jsonl"
    path.write_text("".join(f"[{NOW + at * 10},{99_999.9},{99_999.9}]\n" for at in range(3 * KEPT)))
    history = LagHistory(path)
    last = Reading(NOW + 3 * KEPT * 10, 1.0, 2.0)
    history.add(last)
    kept = LagHistory(path).since(0)
    assert len(kept) == KEPT and kept[-1] == last
    assert path.stat().st_size < 64 * KEPT
    history.add(Reading(last.at + SPAN, 1.0, 2.0))
    assert [one.at for one in history.since(0)] == [last.at, last.at + SPAN]


def test_a_clock_that_is_set_back_leaves_no_future(tmp_path: Path) -> None:
    """It would be told as the present for as long."""
    history = LagHistory(tmp_path / "orders.lag.jsonl")
    for at in (NOW, NOW + 3600, NOW + 60):
        history.add(Reading(at, 1.0, None))
    assert [one.at for one in history.since(0)] == [NOW, NOW + 60]


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    """Wherever it was torn; what is no reading is passed over, too."""
    path = tmp_path / "orders.lag.jsonl"
    whole = f"[{NOW},1.0,2.0]\n[{NOW + 60},3.0,null]\n"
    for end in range(len(whole)):
        path.write_text(whole[:end])
        found = LagHistory(path).since(0)
        assert found == [Reading(NOW, 1.0, 2.0), Reading(NOW + 60, 3.0, None)][: len(found)]
    strange = '[true,1,2]\n[1]\n{"at": 1}\n[1,2,3,4]\n["1",2,3]\n[1e300,1,1]\n[-1,1,1]\n7\n\xff\n'
    path.write_text(strange + whole)
    assert len(LagHistory(path).since(0)) == 2


@given(content=st.binary(max_size=300))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_and_written_over(tmp_path: Path, content: bytes) -> None:
    """Whatever it holds, a reading is added to it."""
    path = tmp_path / "orders.lag.jsonl"
    path.write_bytes(content)
    LagHistory(path).add(Reading(NOW, 1.0, 2.0))
    assert LagHistory(path).since(NOW) == [Reading(NOW, 1.0, 2.0)]


def test_a_disk_that_takes_nothing_leaves_what_is_known(tmp_path: Path) -> None:
    """The page shows it until the exporter ends."""
    (tmp_path / "file").write_text("")
    history = LagHistory(tmp_path / "file" / "orders.lag.jsonl")
    with pytest.raises(OSError, match="file"):
        history.add(Reading(NOW, 1.0, 2.0))
    assert history.since(0) == [Reading(NOW, 1.0, 2.0)]


def test_who_is_killed_as_he_writes_leaves_the_old_one(tmp_path: Path) -> None:
    """A half that lies beside it is none of it."""
    path = tmp_path / "orders.lag.jsonl"
    LagHistory(path).add(Reading(NOW, 1.0, 2.0))
    half_written(path, 4711).write_text("[")
    assert LagHistory(path).since(0) == [Reading(NOW, 1.0, 2.0)]

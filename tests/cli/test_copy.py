"""`copy` plans, and tells how far it is, without copying anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.table.copy_progress import CopyProgress, save
from kcl_processor.table.part_row import PartRow
from kcl_processor.table.table_reader import Segment
from tests.cli.ask import Ask
from tests.kcl_tables import fill
from tests.table.followed import follow


def test_a_plan_compares_three_ways(ask: Ask) -> None:
    """By time and cost, with the commands of each."""
    code, said, _ = ask("copy", "--plan", "--json")
    assert code == ExitCode.OK
    ways = json.loads(said)
    assert len(ways) == 3
    assert all(way["hours"] >= 0 and way["commands"] for way in ways)


def test_a_plan_of_a_live_copy_says_what_its_conditions_and_looks_cost(
    ask: Ask, file: Path
) -> None:
    """A conditional put as a put, failed ones too; and each item is read again by itself."""
    task = load_tasks(file)[0]
    for number in range(3):
        clients.tables(task.source).put_item(
            TableName=task.source.table, Item={"pk": {"S": str(number)}, "text": {"S": "x" * 5000}}
        )
    plain, live, _ = json.loads(ask("copy", "--plan", "--json").out)
    assert (plain["name"], live["name"]) == ("copy", "copy --live")
    assert live["dollars"] > plain["dollars"] and live["commands"][-1].endswith(task.name)
    said = ask("copy", "--plan").out
    assert "look: 3 items x" in said and "a condition that fails costs as much" in said


@pytest.mark.usefixtures("no_waits")
def test_a_live_copy_is_done_beside_a_daemon_and_says_how_far_it_is(ask: Ask, file: Path) -> None:
    """From its begin on any host; of a destination that held items it tells what to do then."""
    task = load_tasks(file)[0]
    assert ask("copy", "--live", "--status").code == ExitCode.UNKNOWN
    early = ask("copy", "--live")
    assert early.code == ExitCode.CONFIG and "kcl-processor run" in early.err
    fill(task, [])
    follow(task)
    clients.tables(task.source).put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    extra = {"pk": {"S": "extra"}}
    clients.tables(task.destination).put_item(TableName=task.destination.table, Item=extra)
    done = ask("copy", "--live", "--processes", "1")
    assert done.code == ExitCode.OK, done.err
    assert "TAKEN AWAY" in done.out and "verify" in done.err and "--delete-extra" in done.err
    status = json.loads(ask("copy", "--live", "--status", "--json").out)
    assert (status["state"], status["items"]) == ("done", 1)
    assert json.loads(ask("copy", "--status", "--json").out) == status


def test_what_a_live_copy_saw_lost_is_told_with_how_far_it_is(ask: Ask, file: Path) -> None:
    """What start sets beside its daemon ends with a code that nobody sees."""
    task = load_tasks(file)[0]
    fill(task, [])
    row = PartRow(task, Segment(0, 1), SystemClock(), lambda _: None)
    lost = "While task orders was copied its daemon passed 1 gap."
    done = CopyProgress("", "", "", 0, 0, started_at=1.0, segments=[], token="t", finished_at=2.0)
    row.take(replace(done, lost=lost))
    code, said, err = ask("copy", "--live", "--status", "--json")
    assert code == ExitCode.GAP and json.loads(said)["state"] == "done"
    assert lost in err and "verify" in err and "--repair --delete-extra" in err


def test_of_a_hosts_last_copy_and_a_later_one_beside_the_daemon_the_later_is_shown(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """What refuses a second live copy names this command."""
    task = load_tasks(file)[0]
    earlier = CopyProgress("", "", "", 0, 0, started_at=1.0, segments=[], finished_at=2.0, items=7)
    save(TaskFiles(task, tmp_path / "state").copy_progress, earlier)
    fill(task, [])
    assert json.loads(ask("copy", "--status", "--json").out)["items"] == 7
    row = PartRow(task, Segment(0, 1), SystemClock(), lambda _: None)
    later = replace(earlier, started_at=3.0, finished_at=None, items=8, token="later")
    row.take(later)
    status = json.loads(ask("copy", "--status", "--json").out)
    assert (status["state"], status["items"]) == ("running", 8)


def test_a_copy_that_never_began_has_no_state(ask: Ask) -> None:
    """It is unknown, and nothing is printed for a machine to misread."""
    code, said, err = ask("copy", "--status", "--json")
    assert (code, said) == (ExitCode.UNKNOWN, "")
    assert "has begun on this host" in err


def test_how_far_a_copy_is_can_be_seen_without_its_tables(ask: Ask, file: Path) -> None:
    """As when the destination was deleted, or is only about to be imported."""
    task = load_tasks(file)[0]
    for side in (task.source, task.destination):
        clients.tables(side).delete_table(TableName=side.table)
    assert ask("copy", "--status").code == ExitCode.UNKNOWN
    earlier = CopyProgress("", "", "", 0, 0, started_at=1.0, segments=[], finished_at=2.0, items=7)
    save(TaskFiles(task, file.parent / "state").copy_progress, earlier)
    assert json.loads(ask("copy", "--status", "--json").out)["items"] == 7


def test_a_part_that_never_began_has_no_state(ask: Ask) -> None:
    """On no host, for its row is in no host's files."""
    code, said, err = ask("copy", "--status", "--part", "1/8")
    assert (code, said) == (ExitCode.UNKNOWN, "")
    assert "Part 1/8 of the copy of" in err and "has not begun" in err

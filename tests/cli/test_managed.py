"""What `copy --managed` is asked for with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.live_mark import LiveMark, replace_live_mark
from kcl_processor.table.managed_row import Steps, StepsRow
from tests.cli.ask import Ask


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--managed"], "--managed exports to a bucket of yours"),
        (["--bucket", "b"], "--bucket is where --managed exports to"),
        (["--managed", "--bucket", "b", "--part", "0/2"], "copies the whole table"),
        (["--managed", "--bucket", "b", "--from-export", "s3://b/c"], "from an export of its own"),
        (["--managed", "--bucket", "b", "--live"], "copies the whole table"),
        (["--live", "--from-export", "s3://b/c"], "an export is of another time"),
    ],
)
def test_what_goes_together_with_no_copy_is_refused(ask: Ask, words: list[str], told: str) -> None:
    """Before anything is asked of AWS."""
    code, out, err = ask("copy", *words)
    assert (code, out) == (ExitCode.CONFIG, "") and told in err


def test_its_state_is_what_aws_was_asked_for(ask: Ask, file: Path) -> None:
    """On whatever host it is asked."""
    task = load_tasks(file)[0]
    make_kcl_tables(task)
    row = StepsRow(task)
    steps = row.save(Steps.new("b", "there"), export="arn:export")
    code, out, _ = ask("copy", "--status", "--json")
    assert code == ExitCode.OK
    assert json.loads(out) == {
        "task": task.name,
        "state": "exporting",
        "export": "arn:export",
        "import": None,
    }
    row.save(steps, importing=True)
    assert "importing" in ask("copy", "--status").out


def test_recovery_is_not_turned_on_where_nobody_can_be_asked(ask: Ask) -> None:
    """It costs: --yes says it."""
    code, _, err = ask("copy", "--managed", "--bucket", "b")
    assert code == ExitCode.CONFIG
    assert "Point-in-time recovery of the source is off" in err and "--yes" in err


def test_nothing_is_asked_of_aws_beside_a_live_copy(ask: Ask, file: Path) -> None:
    """What that one stands on would be taken away."""
    task = load_tasks(file)[0]
    make_kcl_tables(task)
    mark = LiveMark("t", CopyState.BEGUN, "host-1", 1.0, 2.0, 1, 32, "", to_empty=True)
    assert replace_live_mark(task, None, mark)
    code, _, err = ask("copy", "--managed", "--bucket", "b", "--yes")
    assert code == ExitCode.CONFIG and "copy --managed would take from it" in err

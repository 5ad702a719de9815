"""`limit` slows a task down, in words that say what to type next."""

from __future__ import annotations

import json

import pytest

from kcl_processor.config.task import Task
from kcl_processor.fleet.events import read_events
from kcl_processor.fleet.limit import read_limit
from tests.cli.ask import Ask


def test_a_task_is_limited_and_free_again(ask: Ask, ran: Task) -> None:
    """Each says what it did, and who had limited it."""
    assert ask("limit", "--off").out == "The task was not limited.\n"
    code, said, _ = ask("limit", ran.name, "--max-wcu", "50")
    assert code == 0 and "together write at most 50 WCU/s" in said
    assert f"Next: kcl-processor status {ran.name}" in said
    found = read_limit(ran)
    assert found and found.wcu == 50 and "@" in found.by
    shown = json.loads(ask("limit", "--max-wcu", "12.5", "--json").out)
    assert (shown["wcu"], shown["waiting"]) == (12.5, 0)
    assert ask("limit", "--off").out.startswith("The task was limited to 12.5 WCU/s by ")
    assert json.loads(ask("limit", "--off", "--json").out) is None
    whys = [(event.what, event.why) for event in read_events(ran)]
    assert whys == [
        ("limited", "to 50 WCU/s by `limit`"),
        ("limited", "to 12.5 WCU/s by `limit`"),
        ("unlimited", "by `limit --off`"),
    ]


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    "words", [(), ("--max-wcu", "0"), ("--max-wcu", "nan"), ("--off", "--max-wcu", "5")]
)
def test_what_is_no_limit_is_refused(ask: Ask, words: tuple[str, ...]) -> None:
    """To hold all back there is `pause`."""
    assert ask("limit", *words).code == 2


def test_what_never_ran_cannot_be_limited(ask: Ask) -> None:
    """There is nobody who would look."""
    code, _, said = ask("limit", "--max-wcu", "5")
    assert code == 2 and "no daemon was ever started" in said


def test_nothing_is_limited_where_nothing_ran(ask: Ask) -> None:
    """Before the first start there is no table; it is no error to say so."""
    assert ask("limit", "--off")[:2] == (0, "The task was not limited.\n")
    assert json.loads(ask("limit", "--off", "--json").out) is None

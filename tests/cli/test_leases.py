"""`leases` shows what is there, and changes nothing without --yes."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.cli import leases as command
from kcl_processor.cli.output import table_lines
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.coordinator import Life
from kcl_processor.fleet.lease_changes import save
from kcl_processor.fleet.leases import SHARD_END, Lease, lease
from kcl_processor.fleet.running import signs_of_life
from kcl_processor.fleet.stream import Look, StreamShard
from kcl_processor.launch.copy_mark import CopyMark, CopyState, replace_mark
from kcl_processor.launch.identity import write_claim
from kcl_processor.launch.live_mark import LiveMark, replace_live_mark
from kcl_processor.operate.lineage import join, unfinished
from tests.cli.ask import Ask
from tests.fakes import HandClock
from tests.kcl_tables import GOLDEN, fill, identity, lease_row, rows_in, shards_of, snapshot


def test_a_reset_without_yes_changes_nothing(ask: Ask, file: Path) -> None:
    """It prints what it would do and what to type."""
    task = load_tasks(file)[0]
    client = fill(task, *snapshot("two-workers"))
    assert write_claim(task, None, identity(task))
    code, said, _ = ask("leases", "reset", "--to", "latest")
    assert code == 0 and said.count("LATEST") == 5 and said.rstrip().endswith("--to latest --yes")
    rows = rows_in(client, task.kcl.application_name)
    assert len([row for row in rows if "leaseOwner" in row]) == 8


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch over what does not move takes no time."""
    clock = HandClock()
    monkeypatch.setattr(command, "SystemClock", lambda: clock)
    monkeypatch.setattr(time, "sleep", clock.turn)


@pytest.mark.usefixtures("quick")
def test_a_reset_and_its_undoing_are_told_as_json(ask: Ask, file: Path, tmp_path: Path) -> None:
    """What changes, whether it was changed, and the file that takes it back; no line beside it."""
    task = load_tasks(file)[0]
    client = fill(task, *snapshot("two-workers"))
    assert write_claim(task, None, identity(task))
    dry = json.loads(ask("leases", "reset", "--to", "latest", "--json").out)
    assert (dry["changed"], dry["saved"], len(dry["rows"])) == (False, None, 5)
    assert {row["becomes"] for row in dry["rows"]} == {"LATEST"}
    saved = str(tmp_path / "saved.json")
    done = json.loads(ask("leases", "reset", "--yes", "--save", saved, "--json").out)
    assert (done["changed"], done["saved"], len(done["rows"])) == (True, saved, 8)
    assert {row["becomes"] for row in done["rows"]} == {"deleted"}
    back = json.loads(ask("leases", "restore", saved, "--yes", "--json").out)
    assert back["changed"] and len(rows_in(client, task.kcl.application_name)) == 8


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("coordinator", "yes", "told"),
    [
        (False, [], {"owner": None, "removed": False}),
        (True, [], {"owner": "worker-2", "removed": False}),
        (True, ["--yes"], {"owner": "worker-2", "removed": True}),
    ],
)
def test_a_lock_is_told_as_json(
    ask: Ask, file: Path, *, coordinator: bool, yes: list[str], told: dict[str, object]
) -> None:
    """Who held it, and whether it is gone."""
    task = load_tasks(file)[0]
    fill(task, [], snapshot("two-workers")[1] if coordinator else [])
    assert write_claim(task, None, identity(task))
    assert json.loads(ask("leases", "unlock-leader", *yes, "--json").out) == told


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("action", ["reset", "restore", "unlock-leader"])
def test_rows_stay_as_an_unfinished_copy_has_found_them(
    ask: Ask, file: Path, tmp_path: Path, action: str
) -> None:
    """It takes what moves for the daemon, and would end as disturbed after hours of work."""
    task = load_tasks(file)[0]
    client = fill(task, *snapshot("two-workers"))
    assert write_claim(task, None, identity(task))
    saved = tmp_path / "saved.json"
    before = rows_in(client, task.kcl.application_name)
    save(saved, task, before)
    signs = signs_of_life(task)
    assert replace_mark(task, None, CopyMark.begun("token", 1.0, 2.0, forced=False))
    code, _, said = ask("leases", action, *([str(saved)] * (action == "restore")), "--yes")
    assert code == ExitCode.CONFIG and "is not finished" in said
    assert signs_of_life(task) == signs


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("reset", "--to", "latest"), ExitCode.CONFIG),
        (("restore",), ExitCode.CONFIG),
        (("reset",), ExitCode.OK),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else None,
)
def test_nothing_is_passed_over_beside_an_unfinished_live_copy(
    ask: Ask, file: Path, tmp_path: Path, words: tuple[str, ...], code: ExitCode
) -> None:
    """What changed since its begin is the daemon's to apply; to read again does no harm."""
    task = load_tasks(file)[0]
    client = fill(task, *snapshot("two-workers"))
    assert write_claim(task, None, identity(task))
    saved = tmp_path / "saved.json"
    save(saved, task, rows_in(client, task.kcl.application_name))
    mark = LiveMark("t", CopyState.BEGUN, "host-1", 1.0, 2.0, 1, 32, "", to_empty=True)
    assert replace_live_mark(task, None, mark)
    done = ask("leases", *words, *([str(saved)] * (words[0] == "restore")), "--yes")
    assert done.code == code, done.err
    assert (code == ExitCode.OK) or f"copy --live {task.name}" in done.err


@pytest.mark.parametrize(
    "words", [("reset", "--to", "17"), ("reset", "a", "b"), ("restore",), ("reset", "--to", "soon")]
)
def test_words_that_make_no_sense_touch_nothing(ask: Ask, words: tuple[str, ...]) -> None:
    """Exit code 2."""
    assert ask("leases", *words).code == 2


def test_help_says_what_each_action_does_in_a_whole_sentence(ask: Ask) -> None:
    """Wherever the lines of its own help end."""
    said = " ".join(ask("leases", "--help").out.split())
    assert "reset Set checkpoints back" in said
    for word, then in itertools.pairwise([*command.ACTIONS, "options:"]):
        assert re.search(rf"{word} [A-Z][^.]*\. {then}", said)


def test_the_tree_and_the_filters_are_offered(ask: Ask) -> None:
    """Every way of showing works on a table without rows, too."""
    for words in (["--tree", "--thorough"], ["--open", "--wide"], ["--owner", "x"], ["--no-wait"]):
        assert ask("leases", *words).code == 3


NOW = 1_700_000_000.0


@pytest.mark.parametrize("name", ["two-workers", "dead-worker"])
@pytest.mark.parametrize("as_tree", [False, True])
def test_the_tables_of_a_real_run_look_as_kept(name: str, *, as_tree: bool) -> None:
    """Golden files: what `leases` prints of rows that KCL wrote."""
    items = snapshot(name)[0]
    rows = [lease(item) for item in items]
    dead = {"worker-2"} if name == "dead-worker" else set()

    def owner(one: Lease) -> Life:
        return Life.DYING if one.owner in dead else Life.ALIVE

    looks = {row.shard: Look(applied_at=NOW - 8.3, unread_at=NOW - 3.2) for row in unfinished(rows)}
    views = join(rows, shards_of(items), looks, owner, NOW)
    printed = table_lines(command.rows(views, as_tree=as_tree, wide=False), command._COLUMNS)
    kept = GOLDEN / f"leases-{name}{'-tree' if as_tree else ''}.txt"
    assert kept.read_text().splitlines() == printed


def test_owner_and_open_choose_shards() -> None:
    """Filters leave out what they say, and nothing else."""
    views = join(
        [lease_row("a", SHARD_END), lease_row("b")],
        [StreamShard("b", "a", open=True)],
        {},
        lambda _: Life.ALIVE,
        NOW,
    )
    every = argparse.Namespace(owner=None, open=False)
    only = argparse.Namespace(owner="w", open=True)
    assert [view.shard for view in views if command._wanted(view, every)] == ["a", "b"]
    assert [view.shard for view in views if command._wanted(view, only)] == ["b"]
    other = replace(views[1], owner="x")
    assert not command._wanted(other, only)


def test_every_option_that_takes_a_word_is_known_to_take_one() -> None:
    """The word behind one of them is never taken for an action."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    (actions,) = (a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    takes = {
        option
        for action in actions.values()
        for argument in action._actions
        for option in argument.option_strings
        if argument.nargs != 0
    }
    assert takes == set(command.WITH_VALUES)

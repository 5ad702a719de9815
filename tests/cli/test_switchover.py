"""`switchover` changes nothing before somebody agrees, and tells where it is."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.pause import read_pauses
from kcl_processor.launch.switch_mark import (
    SwitchMark,
    SwitchState,
    read_switch,
    replace_switch,
)
from kcl_processor.operate import writer_watch
from kcl_processor.operate.certificate import Certificate, Proof
from kcl_processor.operate.doctor import Doctor
from kcl_processor.operate.freeze import Freeze, new_sid
from kcl_processor.operate.switchover import identify, take_back
from kcl_processor.operate.writer_watch import ShardEnd
from tests.cli.ask import Ask

pytestmark = pytest.mark.usefixtures("no_waits")

PROOF = Proof(source=3, laid=3, destination=3, kept=0, differing=0, unsure=0)
SID = "KclProcessorFreeze1"


@pytest.fixture
def task(file: Path) -> Task:
    (task,) = load_tasks(file)
    make_kcl_tables(task)
    return task


def frozen(task: Task, mark: SwitchMark) -> SwitchMark:
    """Writes to the task's source are denied, and the mark that says so."""
    client = clients.tables(task.source)
    arn = client.describe_table(TableName=task.source.table)["Table"]["TableArn"]
    Freeze(client, arn, "it", SID, SystemClock(), lambda _: None).put(lambda _: None)
    return replace(mark, sid=SID, source=arn)


def is_frozen(task: Task) -> bool:
    client = clients.tables(task.source)
    arn = client.describe_table(TableName=task.source.table)["Table"]["TableArn"]
    return Freeze(client, arn, "it", SID, SystemClock(), lambda _: None).stands()


def certified(task: Task) -> SwitchMark:
    """The task was switched over, with writes denied."""
    clock = SystemClock()
    ours = identify(task, clock, lambda _: None)
    shards = clients.streams(task.source).describe_stream(StreamArn=ours.stream)
    (shard,) = shards["StreamDescription"]["Shards"]
    mark = frozen(task, SwitchMark.begun("t", clock.now()))
    certificate = Certificate(
        task=task.name,
        host="host-1",
        source=ours.source,
        stream=ours.stream,
        destination=ours.destination,
        rules="",
        begun_at=1.0,
        quiet_since=2.0,
        certified_at=3.0,
        shards=(ShardEnd(shard["ShardId"], None, closed=False),),
        proof=PROOF,
        expired=0,
        frozen=True,
    )
    over = replace(mark, state=SwitchState.OVER, certificate=certificate.text())
    replace_switch(task, None, over)
    return over


def test_a_task_that_is_not_ready_is_left_alone(ask: Ask, task: Task) -> None:
    """There is no daemon; why not is told, and what to type."""
    code, out, err = ask("switchover", "--yes", "--freeze")
    assert (code, out) == (ExitCode.CRASH, "")
    assert "no worker gives a sign of life" in err and f"doctor {task.name}" in err
    assert read_switch(task) is None and not is_frozen(task)


def test_one_that_was_cut_off_says_where_it_is(ask: Ask, task: Task) -> None:
    """And is taken back only when somebody agrees."""
    left = frozen(task, SwitchMark.begun("t", 1_700_000_000))
    replace_switch(task, None, left)
    code, _, err = ask("switchover", "--yes")
    assert code == ExitCode.CRASH
    assert f"begun on {left.host} at 2023-11-14T22:13:20Z, did not come to its end" in err
    assert f"denied by statement {SID}" in err and "--back" in err
    _, _, ended = err.partition("checking the task")
    assert f"is open still; writes to {task.source} are denied by statement {SID}" in ended
    assert f"Try: kcl-processor switchover {task.name} --back" in ended
    code, _, err = ask("switchover", "--thaw", "--yes")
    assert (code, is_frozen(task)) == (ExitCode.CONFIG, True)
    code, _, err = ask("switchover", "--back")
    assert (code, is_frozen(task)) == (ExitCode.CONFIG, True)
    assert "Try: kcl-processor switchover --back --yes" in err
    code, _, err = ask("switchover", "--back", "--yes")
    assert (code, is_frozen(task), read_switch(task)) == (ExitCode.OK, False, None)
    assert f"kcl-processor run {task.name}" in err
    again = ask("switchover", "--back")
    assert again.code == ExitCode.OK and "nothing to take back" in again.err


def test_one_that_was_being_taken_back_is_not_gone_on_with(ask: Ask, task: Task) -> None:
    """It is taken back to its end before another one begins, which denies nothing unasked."""
    begun = frozen(task, SwitchMark.begun("t", 1_700_000_000))
    replace_switch(task, None, replace(begun, state=SwitchState.BACK))
    code, _, err = ask("switchover", "--yes")
    assert "was being taken back, which did not come to its end" in err
    assert code == ExitCode.CRASH and "no worker gives a sign of life" in err
    assert (is_frozen(task), read_switch(task)) == (False, None)


def test_a_source_that_was_deleted_keeps_nobody_in_a_circle(ask: Ask, task: Task) -> None:
    """Its freeze went with it: it is taken back, and the task can be removed."""
    replace_switch(task, None, frozen(task, SwitchMark.begun("t", 1_700_000_000)))
    clients.tables(task.source).delete_table(TableName=task.source.table)
    assert ask("uninstall", "--yes").code == ExitCode.CONFIG
    code, _, err = ask("switchover", "--back", "--yes")
    assert (code, read_switch(task)) == (ExitCode.OK, None), err
    assert ask("uninstall", "--yes").code == ExitCode.OK


def test_a_statement_that_nobody_knows_of_is_found_and_taken_out(ask: Ask, task: Task) -> None:
    """As one leaves it that was held up before it put it, and killed behind that; that of another
    task of the same source stays."""
    client = clients.tables(task.source)
    arn = client.describe_table(TableName=task.source.table)["Table"]["TableArn"]
    kcl = replace(task.kcl, application_name="Other")
    sids = [new_sid(replace(task, kcl=kcl)), new_sid(task)]
    for sid in sids:
        Freeze(client, arn, "it", sid, SystemClock(), lambda _: None).put(lambda _: None)
    check = Doctor(task, Path(), Path(), None, SystemClock(), lambda _: None)._switchover()
    assert sids[1] in check.text and check.hint == f"kcl-processor switchover {task.name} --back"
    code, _, err = ask("uninstall", "--yes")
    assert code == ExitCode.CONFIG and sids[1] in err and "--back" in err
    code, _, err = ask("switchover", "--back")
    assert code == ExitCode.CONFIG and "--back --yes" in err
    code, _, err = ask("switchover", "--back", "--yes")
    assert code == ExitCode.OK and "taken out" in err
    policy = json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == sids[:1]
    assert "nothing to take back" in ask("switchover", "--back").err


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code"), [("y\n", ExitCode.CONFIG), ("", ExitCode.CONFIG), ("yes\n", ExitCode.OK)]
)
def test_somebody_at_a_terminal_is_asked(
    ask: Ask, task: Task, monkeypatch: pytest.MonkeyPatch, typed: str, code: ExitCode
) -> None:
    """Only a whole yes counts."""
    replace_switch(task, None, frozen(task, SwitchMark.begun("t", 1_700_000_000)))
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    said = ask("switchover", "--back")
    assert said.code == code and "with writers at" in said.err and "Type yes to go on:" in said.err
    assert is_frozen(task) is (code != ExitCode.OK)


def test_who_is_interrupted_as_he_takes_it_back_leaves_nothing_half_done(
    ask: Ask, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes would stay denied, and nothing would say so."""

    def interrupted(*given: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        take_back(*given)

    monkeypatch.setattr("kcl_processor.cli.switchover.take_back", interrupted)
    replace_switch(task, None, frozen(task, SwitchMark.begun("t", 1_700_000_000)))
    code, _, err = ask("switchover", "--back", "--yes")
    assert (code, is_frozen(task), read_switch(task)) == (ExitCode.OK, False, None)
    assert "Everything is as it was before" in err


def test_a_certificate_is_printed_again_as_long_as_it_holds(
    ask: Ask, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do next; and a write to the source is seen."""
    monkeypatch.setattr(writer_watch, "LISTED", 0.0)
    certified(task)
    code, out, err = ask("switchover")
    assert code == ExitCode.OK and "Nobody wrote to the source since then." in err
    (paused,) = read_pauses(task)
    assert paused.shard is None and "the daemon is paused" in err, "it was killed before that"
    assert f"{task.name}: both tables were equal at 1970-01-01T00:00:03.000Z" in out
    assert f"kcl-processor switchover {task.name} --back" in out
    code, out, _ = ask("switchover", "--json")
    told = json.loads(out)
    assert (told["written_since"], told["writes_denied"], len(told["next"])) == (0, True, 4)
    clients.tables(task.source).put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    code, out, err = ask("switchover", "--json")
    assert (code, json.loads(out)["written_since"]) == (ExitCode.WRITTEN, 1)
    assert "1 changes were made" in err


@pytest.mark.parametrize(
    ("expired", "rule", "waits"), [(0, "", False), (2, "", True), (2, "ttl_deletes: skip", False)]
)
def test_a_minute_is_waited_only_for_what_time_to_live_deleted(
    ask: Ask, task: Task, file: Path, expired: int, rule: str, *, waits: bool
) -> None:
    """Its last deletions may be on their way still, if the daemon makes them; a writer's changes
    are not, for their checkpoints were awaited."""
    over = certified(task)
    told = replace(Certificate.read(over.certificate), expired=expired)
    replace_switch(task, over, replace(over, certificate=told.text()))
    if rule:
        file.write_text(file.read_text().replace("    source:", f"    {rule}\n    source:", 1))
    steps = json.loads(ask("switchover", "--json").out)["next"]
    assert ("a minute" in steps[0]) is waits and "which is paused" in steps[0]


def test_a_denial_that_somebody_took_away_is_not_printed_as_one(ask: Ask, task: Task) -> None:
    """The policy may be another tool's, which makes it what its template says."""
    arn = certified(task).source
    clients.tables(task.source).delete_resource_policy(ResourceArn=arn)
    _, out, err = ask("switchover", "--json")
    assert json.loads(out)["writes_denied"] is False
    assert f"Somebody took the denial of writes out of the policy of {task.source}." in err


def test_a_certificate_whose_stream_is_gone_is_not_called_true(ask: Ask, task: Task) -> None:
    """After a day nobody can tell any more."""
    over = certified(task)
    told = Certificate.read(over.certificate)
    elsewhere = replace(told, shards=(replace(told.shards[0], shard="shard-gone", last="7"),))
    later = replace(over, certificate=replace(elsewhere, stream=f"{told.stream}0").text())
    replace_switch(task, over, later)
    code, out, err = ask("switchover")
    assert code == ExitCode.UNKNOWN and out and "no longer tells" in err


def test_writes_are_allowed_again_and_the_certificate_stands(ask: Ask, task: Task) -> None:
    """For a replica in the other direction; the daemon of this one is still not started."""
    certified(task)
    assert ask("switchover", "--thaw").code == ExitCode.CONFIG
    code, _, err = ask("switchover", "--thaw", "--yes")
    mark = read_switch(task)
    assert code == ExitCode.OK and not is_frozen(task) and "certificate stands" in err
    assert mark and mark.state is SwitchState.OVER
    assert json.loads(ask("switchover", "--json").out)["writes_denied"] is False


@pytest.mark.parametrize(
    "command", ["run", "start --yes", "copy", "verify --repair", "replay", "doctor"]
)
def test_nothing_lays_the_source_over_what_the_writers_write(
    ask: Ask, task: Task, command: str
) -> None:
    """While the certificate stands; and each says what to type if they are back."""
    certified(task)
    code, out, err = ask(*command.split())
    assert code == (ExitCode.CRASH if command == "doctor" else ExitCode.CONFIG)
    assert "was switched over" in out + err
    assert f"kcl-processor switchover {task.name} --back" in out + err


def test_a_task_that_denies_writes_is_not_forgotten(ask: Ask, task: Task) -> None:
    """Nobody would know its statement any more; `doctor` tells of it, too."""
    replace_switch(task, None, frozen(task, SwitchMark.begun("t", 1_700_000_000)))
    code, _, err = ask("uninstall", "--yes")
    assert code == ExitCode.CONFIG and SID in err and "--thaw" in err
    assert read_switch(task)
    examined = ask("doctor")
    assert "a switchover, begun on" in examined.out and "are denied" in examined.out


def test_the_other_direction_is_printed_with_how_to_start_it(
    ask: Ask, task: Task, tmp_path: Path
) -> None:
    """The YAML on stdout; a stream that is on already holds what this task's daemon wrote."""
    code, out, err = ask("switchover", "--reverse")
    assert code == ExitCode.OK and "There is no certificate yet" in err
    back = tmp_path / f"{task.name}-reverse.yml"
    back.write_text(out)
    (reverse,) = load_tasks(back)
    assert (reverse.source.table, reverse.destination.table) == (
        task.destination.table,
        task.source.table,
    )
    assert f"kcl-processor prepare -c {back.name} --yes" in err
    assert f"kcl-processor run -c {back.name}" in err and "--thaw" not in err
    certified(task)
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    clients.tables(task.destination).update_table(
        TableName=task.destination.table, StreamSpecification=specification
    )
    code, _, err = ask("switchover", "--reverse")
    assert "passes through older states" in err and "no certificate" not in err
    assert f"kcl-processor switchover {task.name} --thaw" in err

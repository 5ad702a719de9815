"""A checkpoint table is one task's, of tables and a stream that are what they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode, GapError, OperatorError
from kcl_processor.fleet.lease_changes import load
from kcl_processor.fleet.running import StillRunning
from kcl_processor.launch.claim import claim, claim_for_copy, refuse_foreign, refuse_other_rules
from kcl_processor.launch.identity import Identity, read_claim
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.state.gaps import Gap, note_gap, open_gaps, settle_gap
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform
from tests.fakes import HandClock
from tests.kcl_tables import Row, fill, identity, make_source_and_destination, make_task, rows_in

OLD = {"leaseKey": {"S": "shardId-old"}, "leaseCounter": {"N": "7"}, "checkpoint": {"S": "17"}}


@pytest.fixture
def made(moto_url: str) -> Task:
    """A task whose tables are there: its own two, and KCL's, which hold nothing."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    fill(task, [])
    return task


def another(one: Identity) -> Identity:
    """An identity with another destination."""
    return replace(one, destination=Incarnation("arn:two", 1.0))


def claiming(task: Task, state: Path, ours: Identity, *, adopt: bool = False) -> None:
    """A start that gets as far as its claim."""
    clock = HandClock()
    claim(TaskFiles(task, state), ours, clock, clock.turn, adopt=adopt)


def put_lease(task: Task, row: Row) -> None:
    """Leave a lease as another worker would."""
    clients.checkpoints(task).put_item(TableName=task.kcl.application_name, Item=row)


def leases(task: Task) -> list[str]:
    """The shards that have a lease."""
    rows = rows_in(clients.checkpoints(task), task.kcl.application_name)
    return [row["leaseKey"]["S"] for row in rows]


def shard_of_the_stream(task: Task) -> str:
    """A shard that the source's stream holds."""
    client, arn = clients.streams(task.source), identity(task).stream
    described = client.describe_stream(StreamArn=arn)["StreamDescription"]
    return str(described["Shards"][0]["ShardId"])


def test_a_checkpoint_table_of_another_replica_is_refused(made: Task, tmp_path: Path) -> None:
    """Another destination under the same task name is refused with both named, or adopted."""
    one = identity(made)
    two = another(one)
    claiming(made, tmp_path, one)
    claiming(made, tmp_path, one)
    put_lease(made, {**OLD, "leaseKey": {"S": shard_of_the_stream(made)}})
    with pytest.raises(ConfigError, match=rf"{one.destination.arn} .*arn:two"):
        claiming(made, tmp_path, two)
    claiming(made, tmp_path, two, adopt=True)
    claiming(made, tmp_path, two)
    assert leases(made) == [shard_of_the_stream(made)], "they are of this stream still"


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_table_that_was_made_anew_is_refused(made: Task, tmp_path: Path, side: str) -> None:
    """It holds nothing of what the checkpoints say is done; copy --restart is what helps."""
    then, now = identity(made), identity(made)
    table: Incarnation = getattr(now, side)
    anew: dict[str, Any] = {side: replace(table, created=table.created + 60)}
    now = replace(now, **anew)
    claiming(made, tmp_path, then)
    with pytest.raises(ConfigError, match=f"{side} table .* was made anew") as raised:
        claiming(made, tmp_path, now)
    assert f"copy --restart {made.name}" in raised.value.hint
    clock = HandClock()
    claim_for_copy(made, now, clock, clock.turn)
    claiming(made, tmp_path, now)
    with pytest.raises(ConfigError, match="belongs to the replica"):
        claim_for_copy(made, another(now), clock, clock.turn)


@pytest.mark.parametrize(("before", "after"), [("one", "two"), ("", "one"), ("one", "")])
def test_other_rules_than_those_of_the_last_start_are_refused(
    made: Task, tmp_path: Path, before: str, after: str
) -> None:
    """Rules that there were none of, or are none any more, as well; the way on is told to its end:
    what the new ones cannot trace, no repair deletes."""
    then, now = (replace(identity(made), rules=rules) for rules in (before, after))
    claiming(made, tmp_path, then)
    with pytest.raises(ConfigError, match=r"rules of task .* are others than those") as raised:
        claiming(made, tmp_path, now)
    for words in ("verify {}, ", "run --adopt {}", "--repair --delete-extra", "copy --restart {}"):
        assert words.format(made.name) in raised.value.hint
    claiming(made, tmp_path, now, adopt=True)
    claiming(made, tmp_path, now)


def test_rules_for_what_was_replicated_without_any_are_refused(made: Task, tmp_path: Path) -> None:
    """The original library, whose leases are without a claim, laid every item as it is."""
    put_lease(made, {**OLD, "leaseKey": {"S": shard_of_the_stream(made)}})
    ruled = replace(identity(made), rules="one")
    with pytest.raises(ConfigError, match=r"rules of task .* are others than those") as raised:
        claiming(made, tmp_path, ruled)
    assert f"run --adopt {made.name}" in raised.value.hint
    claiming(made, tmp_path, ruled, adopt=True)
    claiming(made, tmp_path, ruled)


def test_nothing_is_laid_beside_a_daemon_of_other_rules(made: Task, tmp_path: Path) -> None:
    """Both would go on writing over the other's items; where nobody lives, nobody does."""
    rules = Rules(exclude=("card",))
    digest = Transform(rules, {}, {}).digest()
    changed, clock = replace(made, rules=rules), HandClock()
    claiming(made, tmp_path, identity(made))

    def renew(seconds: float) -> None:
        clock.turn(seconds)
        put_lease(made, {**OLD, "leaseCounter": {"N": str(int(clock.elapsed()))}})

    put_lease(made, OLD)
    refuse_other_rules(changed, clock, clock.turn)
    refuse_other_rules(made, clock, renew)
    with pytest.raises(ConfigError, match="runs by other rules") as raised:
        refuse_other_rules(changed, clock, renew)
    assert f"run --adopt {made.name}" in raised.value.hint
    claiming(changed, tmp_path, replace(identity(made), rules=digest), adopt=True)
    refuse_other_rules(changed, clock, renew)


@pytest.mark.parametrize("on_gap", ["stop", "continue"])
def test_a_stream_that_was_made_again_is_a_gap(made: Task, tmp_path: Path, on_gap: str) -> None:
    """Checkpoints of an older stream stop the task, unless it goes on over gaps or is told to; then
    the old stream's leases go, and every later start needs to be told nothing."""
    task, now = replace(made, on_gap=on_gap), identity(made)
    files = TaskFiles(task, tmp_path)
    claiming(task, tmp_path, replace(now, stream="old"))
    put_lease(task, OLD)
    if on_gap == "stop":
        with pytest.raises(GapError, match="old"):
            claiming(task, tmp_path, now)
        assert not files.gaps.exists() and leases(task) == ["shardId-old"]
    claiming(task, tmp_path, now, adopt=on_gap == "stop")
    (noted,) = map(json.loads, files.gaps.read_text().splitlines())
    assert noted["checkpoint"] == "old" and noted["to"] in now.stream + "Z"
    assert leases(task) == []
    (saved,) = files.every_saved_leases()
    assert load(saved, task) == [OLD]
    claiming(task, tmp_path, now)


def test_a_gap_that_cannot_be_noted_is_not_passed(made: Task, tmp_path: Path) -> None:
    """Going on without a note would be a gap passed in silence."""
    task, now = replace(made, on_gap="continue"), identity(made)
    claiming(task, tmp_path, replace(now, stream="old"))
    put_lease(task, OLD)
    # A link into a folder that is not there: no gaps so far, and no way to note one.
    TaskFiles(task, tmp_path).gaps.symlink_to(tmp_path / "gone" / "gaps")
    with pytest.raises(GapError, match="cannot be noted"):
        claiming(task, tmp_path, now)
    assert leases(task) == ["shardId-old"]


def test_leases_that_an_adoption_left_behind_go_with_the_next(made: Task, tmp_path: Path) -> None:
    """Once claimed for the new stream, a table may hold leases of both; only open ones are gaps."""
    claiming(made, tmp_path, identity(made))
    ended = {**OLD, "leaseKey": {"S": "shardId-ended"}, "checkpoint": {"S": "SHARD_END"}}
    for row in (OLD, ended, {**OLD, "leaseKey": {"S": shard_of_the_stream(made)}}):
        put_lease(made, row)
    claiming(made, tmp_path, identity(made))
    assert len(leases(made)) == 3, "without being told, a gap is the daemon's to name"
    claiming(made, tmp_path, identity(made), adopt=True)
    assert leases(made) == [shard_of_the_stream(made)]
    (noted,) = map(json.loads, TaskFiles(made, tmp_path).gaps.read_text().splitlines())
    assert (noted["shard"], noted["checkpoint"]) == ("shardId-old", "17")


def test_leases_do_not_go_while_a_worker_lives(made: Task, tmp_path: Path) -> None:
    """It would make them again; nothing is noted or written either."""
    claiming(made, tmp_path, replace(identity(made), stream="old"))
    put_lease(made, OLD)
    clock = HandClock()

    def renew(seconds: float) -> None:
        clock.turn(seconds)
        put_lease(made, {**OLD, "leaseCounter": {"N": str(int(clock.elapsed()))}})

    files = TaskFiles(made, tmp_path)
    with pytest.raises(StillRunning):
        claim(files, identity(made), clock, renew, adopt=True)
    assert leases(made) == ["shardId-old"] and not files.gaps.exists()
    found = read_claim(made)
    assert found is not None and found.stream == "old"


@pytest.mark.parametrize("of", ["rules", "destination", "source", "no claim"])
def test_nothing_is_adopted_from_a_worker_that_lives(made: Task, tmp_path: Path, of: str) -> None:
    """It would go on by what it was started with, into the other table or by the other rules, and
    be one worker of the fleet with those that adopted."""
    ours, lease = identity(made), {**OLD, "leaseKey": {"S": shard_of_the_stream(made)}}
    before = {
        "rules": replace(ours, rules="old"),
        "destination": another(ours),
        "source": replace(ours, source=Incarnation("arn:two", 1.0)),
    }
    if of in before:
        claiming(made, tmp_path, before[of])
    put_lease(made, lease)
    now = replace(ours, rules="new") if of == "no claim" else ours
    clock, found = HandClock(), read_claim(made)

    def renew(seconds: float) -> None:
        clock.turn(seconds)
        put_lease(made, {**lease, "leaseCounter": {"N": str(int(clock.elapsed()))}})

    with pytest.raises(StillRunning, match="is running"):
        claim(TaskFiles(made, tmp_path), now, clock, renew, adopt=True)
    assert read_claim(made) == found
    claiming(made, tmp_path, now, adopt=True)
    claim(TaskFiles(made, tmp_path), now, clock, renew, adopt=True)


def test_a_fleet_follows_a_new_stream_together(made: Task, tmp_path: Path) -> None:
    """One worker ends first and finds another alive: that is worth another start, which finds the
    other gone, or the stream claimed by it."""
    task, now = replace(made, on_gap="continue"), identity(made)
    claiming(task, tmp_path, replace(now, stream="old"))
    put_lease(task, OLD)
    clock, files = HandClock(), TaskFiles(task, tmp_path)

    def renew(seconds: float) -> None:
        clock.turn(seconds)
        put_lease(task, {**OLD, "leaseCounter": {"N": str(int(clock.elapsed()))}})

    with pytest.raises(OperatorError, match="is running") as raised:
        claim(files, now, clock, renew, adopt=False)
    assert raised.value.exit_code is ExitCode.CRASH
    assert leases(task) == ["shardId-old"] and not files.gaps.exists()
    claiming(task, tmp_path, now)
    assert claim(files, now, clock, renew, adopt=False) == now.stream


def test_leases_of_a_foreign_stream_are_refused(made: Task, tmp_path: Path) -> None:
    """A table of leases without a claim is taken only if one is of this stream's shards."""
    put_lease(made, OLD)
    clock = HandClock()
    with pytest.raises(ConfigError, match="another stream"):
        claiming(made, tmp_path, identity(made))
    with pytest.raises(ConfigError, match="another stream"):
        refuse_foreign(made, clock, clock.turn)
    put_lease(made, {**OLD, "leaseKey": {"S": shard_of_the_stream(made)}})
    refuse_foreign(made, clock, clock.turn)
    claiming(made, tmp_path, identity(made))
    assert len(leases(made)) == 2


def test_what_is_gone_can_still_be_cleared_away(made: Task, tmp_path: Path) -> None:
    """A replica whose tables are deleted is told by their names, or their ARNs."""
    then = identity(made)
    claiming(made, tmp_path, then)
    for side in (made.source, made.destination):
        clients.tables(side).delete_table(TableName=side.table)
    clock = HandClock()
    refuse_foreign(made, clock, clock.turn)
    by_arn = replace(made.destination, table=then.destination.arn)
    refuse_foreign(replace(made, destination=by_arn), clock, clock.turn)
    elsewhere = replace(made, destination=replace(made.destination, table="elsewhere"))
    with pytest.raises(ConfigError, match="belongs to the replica"):
        refuse_foreign(elsewhere, clock, clock.turn)


def test_a_service_that_cannot_be_asked_is_no_verdict(made: Task, tmp_path: Path) -> None:
    """KCL's tables must answer; a destination that is away is when an operator looks."""
    claiming(made, tmp_path, identity(made))
    away = replace(made, destination=replace(made.destination, endpoint="http://127.0.0.1:9"))
    clock = HandClock()
    refuse_foreign(away, clock, clock.turn)
    nowhere = replace(made, kcl=replace(made.kcl, endpoint="http://127.0.0.1:9"))
    with pytest.raises(OperatorError):
        refuse_foreign(nowhere, clock, clock.turn)


def with_an_older_stream(task: Task, state: Path) -> tuple[Identity, str]:
    """What is now, and the ARN of a stream that the claim was made for."""
    now = identity(task)
    # moto knows a stream by its table, whatever its label.
    old = now.stream.rpartition("/")[0] + "/2020-01-01T00:00:00.000"
    claiming(task, state, replace(now, stream=old))
    return now, old


@pytest.mark.parametrize("checkpoint", [None, "5", "SHARD_END"])
def test_what_is_left_of_an_older_stream_is_read_first(
    made: Task, tmp_path: Path, checkpoint: str | None
) -> None:
    """It is, until every shard of it was read to its end; a shard without a lease was not."""
    task = replace(made, on_gap="continue")
    files, clock = TaskFiles(task, tmp_path), HandClock()
    now, old = with_an_older_stream(task, tmp_path)
    if checkpoint:
        row = {"leaseKey": {"S": shard_of_the_stream(task)}, "checkpoint": {"S": checkpoint}}
        put_lease(task, row)
    is_read = checkpoint == "SHARD_END"
    for _ in range(2):
        read = claim(files, now, clock, clock.turn, adopt=False)
        assert read == (now.stream if is_read else old)
    assert files.gaps.exists() is is_read


def test_a_gap_that_the_daemon_noted_is_not_noted_twice(made: Task, tmp_path: Path) -> None:
    """A daemon whose stream was turned off has noted it before its last line."""
    task = replace(made, on_gap="continue")
    files = TaskFiles(task, tmp_path)
    now, old = with_an_older_stream(task, tmp_path)
    shard = shard_of_the_stream(task)
    put_lease(task, {"leaseKey": {"S": shard}, "checkpoint": {"S": "SHARD_END"}})
    note_gap(files.gaps, Gap(0.0, None, old, None, None, "the stream was turned off"))
    claiming(task, tmp_path, now)
    assert len(files.gaps.read_text().splitlines()) == 1


def test_a_gap_that_was_settled_while_the_stream_was_off_is_noted_again(
    made: Task, tmp_path: Path
) -> None:
    """The tables were equal then, and what changed from then on is in no stream either."""
    now, old = identity(made), "arn:aws:dynamodb:eu-west-1:1:table/orders/stream/old"
    task = replace(made, on_gap="continue")
    files = TaskFiles(task, tmp_path)
    claiming(task, tmp_path, replace(now, stream=old))
    seen = Gap(0.0, None, old, None, None, "the stream was turned off")
    note_gap(files.gaps, seen)
    settle_gap(files.gaps, seen)
    claiming(task, tmp_path, now)
    (gap,) = open_gaps(files.gaps)
    assert gap.checkpoint == old and gap.until and gap.until.rstrip("Z") in now.stream

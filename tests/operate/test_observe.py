"""A look at a task: KCL's tables, the stream, and the heartbeats of this host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from kcl_processor.aws import clients
from kcl_processor.config.paths import RENDERED, TaskFiles
from kcl_processor.config.task import Task, of_worker
from kcl_processor.errors import SourceError
from kcl_processor.fleet.kcl_tables import make_kcl_tables, table_names
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import Look, Stream, StreamShard
from kcl_processor.fleet.throttle import Throttled
from kcl_processor.launch.proof import Standing, note_whole, replica_of
from kcl_processor.launch.proof_part import Open
from kcl_processor.operate.health import problems
from kcl_processor.operate.observe import Observer, Sight
from kcl_processor.operate.status import summarise
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import LetterFile
from kcl_processor.state.heartbeat import write_heartbeat
from tests.fakes import INVALID, HandClock, put
from tests.kcl_tables import Row, fill, make_source_and_destination, make_task, shards_of, snapshot

ROWS, COORDINATOR, WORKERS = snapshot("two-workers")


class FakeStream(Stream):
    """A stream that goes with the rows, and holds nothing unread."""

    def __init__(self) -> None:
        pass

    def shards(self, _after: str | None = None) -> list[StreamShard]:
        return shards_of(ROWS)

    def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
        return {lease.shard: Look() for lease in leases}


def test_a_look_waits_until_the_living_have_moved(moto_url: str, tmp_path: Path) -> None:
    """One worker renews while it is watched, the other does not: active and dying."""
    task, clock = make_task(moto_url), HandClock()
    client = fill(task, ROWS, COORDINATOR, WORKERS)
    alive = [row for row in ROWS if row["leaseOwner"]["S"] == "worker-1"]

    def wait(seconds: float) -> None:
        clock.turn(seconds)
        for row in alive:
            renewed = {**row, "leaseCounter": {"N": str(int(clock.seconds))}}
            client.put_item(TableName=task.kcl.application_name, Item=renewed)

    seen = Observer(TaskFiles(task, tmp_path), clock, wait, FakeStream()).look()
    states = {(view.owner, view.state) for view in seen.shards if view.state != "ended"}
    assert states == {("worker-1", "active"), ("worker-2", "dying")}
    assert seen.live == ["worker-1"]
    assert seen.leader is not None and seen.leader.owner == "worker-2"


@pytest.mark.parametrize(("patient", "state"), [(True, "active"), (False, "owned")])
def test_what_passes_while_nobody_reads_is_no_standing_still(
    moto_url: str, tmp_path: Path, state: str, *, patient: bool
) -> None:
    """A long list of shards takes longer than a lease is watched for."""
    task, clock = make_task(moto_url), HandClock()
    client = fill(task, ROWS, COORDINATOR, WORKERS)

    class LongStream(FakeStream):
        def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
            clock.turn(20)
            for row in ROWS:
                renewed = {**row, "leaseCounter": {"N": str(int(clock.seconds))}}
                client.put_item(TableName=task.kcl.application_name, Item=renewed)
            return super().look_behind(leases)

    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, LongStream())
    seen = observer.look(patient=patient)
    assert {view.state for view in seen.shards if view.state != "ended"} == {state}


def test_a_task_that_was_stopped_is_known_at_once(moto_url: str, tmp_path: Path) -> None:
    """Its workers took their reports away: nobody has to be watched."""
    task, clock = make_task(moto_url), HandClock()
    fill(task, ROWS, COORDINATOR)
    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, FakeStream())
    seen = observer.look(patient=False)
    assert {view.state for view in seen.shards if view.state != "ended"} == {"stopped"}
    assert seen.live == []


def test_an_owner_that_was_not_watched_is_not_called_active(moto_url: str, tmp_path: Path) -> None:
    """Of one that died a moment ago a single reading tells as much as of one that lives."""
    task, clock = make_task(moto_url), HandClock()
    fill(task, ROWS, COORDINATOR, WORKERS)
    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, FakeStream())
    seen = observer.look(patient=False)
    assert {view.state for view in seen.shards if view.state != "ended"} == {"owned"}


def test_a_task_that_never_ran_has_only_unleased_shards(moto_url: str, tmp_path: Path) -> None:
    """The stream's shards are there, KCL's tables are not, and nothing is waited for."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    began = clock.elapsed()
    seen = Observer(TaskFiles(task, tmp_path), clock, clock.turn).look()
    assert not seen.found and {view.state for view in seen.shards} == {"unleased"}
    assert clock.elapsed() == began
    assert (seen.dead_letters, seen.gaps) == (None, None)


def test_what_waits_for_a_task_that_never_ran_has_an_age(moto_url: str, tmp_path: Path) -> None:
    """The stream drops it, whether somebody was to read it or not."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    client.put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    clock.turn(7)
    (view,) = Observer(TaskFiles(task, tmp_path), clock, clock.turn).look().shards
    assert view.lag is not None and view.trims_in is not None


def test_a_task_that_was_only_copied_never_ran(moto_url: str, tmp_path: Path) -> None:
    """A copy makes KCL's tables, too, for the mark that it leaves there."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    make_kcl_tables(task)
    assert not Observer(TaskFiles(task, tmp_path), clock, clock.turn).look().found


def test_this_hosts_notes_are_seen(moto_url: str, tmp_path: Path) -> None:
    """Heartbeats, gaps and dead letters lie in the state directory."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    beat = ShardFigures(task.name, "shardId-1", "w", clock).heartbeat()
    write_heartbeat(TaskFiles(task, tmp_path).heartbeats, beat)
    TaskFiles(task, tmp_path).gaps.write_text(
        '{"at": "2026-01-01T00:00:00Z", "shard": "shardId-1"}\n'
    )
    seen = Observer(TaskFiles(task, tmp_path), clock, clock.turn).look()
    assert (seen.gaps, seen.dead_letters, list(seen.heartbeats)) == (1, 0, ["shardId-1"])


def test_letters_of_another_task_in_a_shared_file_are_not_counted(
    moto_url: str, tmp_path: Path
) -> None:
    """No replay of this task would ever settle them."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    files = TaskFiles(task, tmp_path)
    place = LetterFile(files.letter_file)
    for name in (task.name, "another"):
        origin = Origin(name, "source", "replica", "shardId-1")
        DeadLetters(place, origin, clock, lambda: None, clock.turn).refuse(put("a"), INVALID)
    assert Observer(files, clock, clock.turn).look().dead_letters == 1


OPEN, ENDED_GENERATIONS = 512, 6


def shard_name(generation: int, lineage: int) -> str:
    """Ids begin with the time of creation."""
    return f"shardId-{1_700_000_000_000 + generation * 14_400_000 + lineage:020d}-{lineage:08x}"


def lease_of(generation: int, lineage: int, owner: str) -> Row:
    """A lease as KCL writes it; all but the last generation are read to their end."""
    row: Row = {
        "leaseKey": {"S": shard_name(generation, lineage)},
        "leaseOwner": {"S": owner},
        "leaseCounter": {"N": "7"},
        "checkpoint": {"S": "5"},
    }
    if generation:
        row["parentShardId"] = {"SS": [shard_name(generation - 1, lineage)]}
    if generation < ENDED_GENERATIONS:
        row["checkpoint"] = {"S": "SHARD_END"}
        row["childShardIds"] = {"SS": [shard_name(generation + 1, lineage)]}
    return row


class CountingClient:
    """A stream that goes with those leases and counts its calls; ``more`` have no lease."""

    class exceptions:
        TrimmedDataAccessException = ResourceNotFoundException = KeyError

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.more: list[str] = []
        self.is_sorted = True

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str = "") -> Any:
        self.calls["DescribeStream"] += 1
        assert StreamArn
        every = [
            shard_name(generation, lineage)
            for generation in range(ENDED_GENERATIONS + 1)
            for lineage in range(OPEN)
        ]
        every = sorted([*every, *self.more], key=lambda name: name if self.is_sorted else name[-8:])
        start = every.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        left = every[start:]
        page: dict[str, Any] = {
            "Shards": [{"ShardId": name, "SequenceNumberRange": {}} for name in left[:100]]
        }
        if len(left) > 100:
            page["LastEvaluatedShardId"] = left[99]
        return {"StreamDescription": page}

    def get_shard_iterator(self, ShardId: str, **_: str) -> Any:
        self.calls["GetShardIterator"] += 1
        return {"ShardIterator": ShardId}

    def get_records(self, **_: Any) -> Any:
        self.calls["GetRecords"] += 1
        made = datetime.fromtimestamp(HandClock().now() - 60, UTC)
        numbers = ("5", "6")
        return {
            "Records": [
                {"dynamodb": {"SequenceNumber": number, "ApproximateCreationDateTime": made}}
                for number in numbers
            ]
        }


class Tables:
    """KCL's tables of a task with 512 shards at work and 3,072 read to their end, on four workers.

    A DynamoDB client that only reads, and counts how often.
    """

    exceptions = CountingClient.exceptions

    def __init__(self, task: Task) -> None:
        self.scans: Counter[str] = Counter()
        leases, coordinator, workers = many_rows()
        names = table_names(task)
        self._rows = {
            names.leases: leases,
            names.coordinator: coordinator,
            names.workers: workers,
        }

    def get_paginator(self, _: str) -> Tables:
        return self

    def paginate(self, TableName: str, **_: object) -> Any:
        self.scans[TableName] += 1
        return [{"Items": self._rows[TableName]}]


def many_rows() -> tuple[list[Row], list[Row], list[Row]]:
    """The rows of the three tables."""
    clock = HandClock()
    leases = [
        lease_of(generation, lineage, f"worker-{lineage % 4}")
        for generation in range(ENDED_GENERATIONS + 1)
        for lineage in range(OPEN)
    ]
    presences = [
        {
            "key": {"S": f"KclProcessorWorker/worker-{number}"},
            "version": {"S": "x"},
            "heldLeases": {"N": str(OPEN // 4)},
            "unrenewedMillis": {"N": "3300"},
            "beatAt": {"N": str(int(1000 * clock.now()) - 2000)},
        }
        for number in range(4)
    ]
    now = {"N": str(int(clock.now()))}
    workers = [{**WORKERS[0], "wid": {"S": f"worker-{number}"}, "lut": now} for number in range(4)]
    return leases, [*COORDINATOR, *presences], workers


class Many:
    """Looks at that task.

    Attributes:
        waited: the seconds for which the last look waited.
    """

    def __init__(self, folder: Path) -> None:
        self.task = make_task()
        self.tables = Tables(self.task)
        self.files = TaskFiles(self.task, folder)
        self.stream = CountingClient()
        self.waited = 0.0

    def look(self, *, thorough: bool = False) -> Sight:
        clock = HandClock()
        stream = Stream(self.stream, "arn", clock, clock.turn)
        observer = Observer(self.files, clock, clock.turn, stream)
        observer._client, observer._ours = self.tables, True
        began = clock.elapsed()
        seen = observer.look(thorough=thorough)
        self.waited = clock.elapsed() - began
        return seen


def test_many_shards_take_few_calls_and_no_watching(tmp_path: Path) -> None:
    """Of 3,584 shards the stream is asked about the 512 that are at work, once each."""
    many = Many(tmp_path)
    seen = many.look()
    states = Counter(view.state for view in seen.shards)
    assert states == {"active": OPEN, "ended": OPEN * ENDED_GENERATIONS}
    assert seen.live == ["worker-0", "worker-1", "worker-2", "worker-3"]
    lags = [view.lag for view in seen.shards if view.state == "active"]
    assert lags == [pytest.approx(60 + many.waited)] * OPEN
    # Six pages of the stream, of which the sixth is held up.
    assert many.stream.calls == {
        "DescribeStream": 6,
        "GetShardIterator": OPEN,
        "GetRecords": OPEN,
    }
    assert set(many.tables.scans.values()) == {1}
    assert many.waited == pytest.approx(0.2)


def test_shards_that_are_read_here_are_not_looked_into(tmp_path: Path) -> None:
    """What a record processor of this host says of itself tells as much."""
    many, clock = Many(tmp_path), HandClock()
    for lineage in range(OPEN):
        shard, worker = shard_name(ENDED_GENERATIONS, lineage), f"worker-{lineage % 4}"
        beat = replace(
            ShardFigures(many.task.name, shard, worker, clock).heartbeat(),
            polled_at=clock.now() - 3,
            behind_ms=0,
            created_ms=int(1000 * clock.now()) - 9000,
        )
        write_heartbeat(many.files.heartbeats, beat)
    at_work = [view for view in many.look().shards if view.state == "active"]
    assert len(at_work) == OPEN
    assert {view.lag for view in at_work} == {None}
    assert [view.age for view in at_work] == [pytest.approx(9 + many.waited)] * OPEN
    assert many.stream.calls == {"DescribeStream": 6}


def test_a_shard_without_a_lease_is_told_among_many(tmp_path: Path) -> None:
    """A younger one by every look; one from before all that is at work by a thorough look."""
    many = Many(tmp_path)
    older, younger = shard_name(2, OPEN), shard_name(ENDED_GENERATIONS, OPEN)
    many.stream.more = [older, younger]

    def unleased(seen: Sight) -> list[str]:
        return [view.shard for view in seen.shards if view.state == "unleased"]

    assert unleased(many.look()) == [younger]
    assert unleased(many.look(thorough=True)) == [older, younger]


class DeafStream(FakeStream):
    """Throttled for longer than anybody waits, or away."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure

    def look_behind(self, _leases: Iterable[Lease]) -> dict[str, Look]:
        with clients.calling("dynamodb:GetRecords", "shard a", SourceError, "fewer readers"):
            raise self.failure


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "LimitExceededException"}}, "GetRecords"),
        ClientError({"Error": {"Code": "ValidationException"}}, "GetRecords"),
        ConnectTimeoutError(endpoint_url="http://streams"),
    ],
)
def test_a_stream_that_does_not_answer_hides_neither_leases_nor_endings(
    moto_url: str, tmp_path: Path, failure: Exception
) -> None:
    """No lag is no lag of zero; what the workers and their leases say is there."""
    task, clock = make_task(moto_url), HandClock()
    fill(task, ROWS, COORDINATOR, WORKERS)
    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, DeafStream(failure))
    seen = observer.look(patient=False)
    assert seen.unseen is not None and len(seen.shards) == len(ROWS)
    status = summarise(seen)
    assert (status.lag, status.trims_in, status.catch_up) == (None, None, None)
    assert status.severity == "warn" and "on shard a failed" in status.reasons[0]
    assert "on shard a failed" in problems(seen, 900, 120)[-1]


def test_a_worker_that_ended_on_this_host_is_watched(tmp_path: Path) -> None:
    """Killed, it said a moment ago that it renews; its host knows that it runs no more."""
    many = Many(tmp_path)
    ended = TaskFiles(of_worker(many.task, "worker-2"), tmp_path).worker
    ended.mkdir(parents=True)
    (ended / f"1{RENDERED}").touch()
    seen = many.look()
    states = {view.owner: view.state for view in seen.shards if view.state != "ended"}
    assert states["worker-2"] == "dying"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_worker_that_ended_on_this_host_does_not_run_by_its_last_report(
    moto_url: str, tmp_path: Path, *, elsewhere: bool
) -> None:
    """It has read all shards to their end, so no lease tells; on another host its report moves."""
    task, clock = make_task(moto_url), HandClock()
    read = [{**row, "checkpoint": {"S": "SHARD_END"}} for row in ROWS]
    report = {**WORKERS[0], "lut": {"N": str(int(clock.now()))}}
    client = fill(task, read, COORDINATOR, [report])
    files = TaskFiles(task, tmp_path)
    ended = TaskFiles(of_worker(task, report["wid"]["S"]), tmp_path).worker
    ended.mkdir(parents=True)
    (ended / f"1{RENDERED}").touch()
    observer = Observer(files, clock, clock.turn, FakeStream())
    assert observer.look().live == []
    if elsewhere:
        clock.turn(1)
        again = {**report, "lut": {"N": str(int(clock.now()))}}
        client.put_item(TableName=table_names(task).workers, Item=again)
        assert observer.look().live == [report["wid"]["S"]]


def test_only_living_workers_are_throttled(moto_url: str, tmp_path: Path) -> None:
    """One that was killed meanwhile has left its row."""
    task, clock = make_task(moto_url), HandClock()
    read = [{**row, "checkpoint": {"S": "SHARD_END"}} for row in ROWS]
    report = {**WORKERS[0], "lut": {"N": str(int(clock.now()))}}
    hot: dict[str, Any] = {"M": {"by": {"S": "the alarm hot"}, "at": {"N": "7"}}}
    living = report["wid"]["S"]
    presences: list[Row] = [
        {"key": {"S": f"KclProcessorWorker/{worker}"}, "throttled": hot}
        for worker in (living, "killed")
    ]
    fill(task, read, [*COORDINATOR, *presences], [report])
    seen = Observer(TaskFiles(task, tmp_path), clock, clock.turn, FakeStream()).look()
    assert seen.throttled == [Throttled(living, "the alarm hot", 7.0)]


def test_a_thorough_look_watches_whatever_the_workers_say(tmp_path: Path) -> None:
    """These workers say that they renew, and their counters stand still."""
    seen = Many(tmp_path).look(thorough=True)
    assert {view.state for view in seen.shards if view.state != "ended"} == {"dying"}


def test_a_long_list_out_of_order_is_listed_whole(tmp_path: Path) -> None:
    """What is left out is known only if all that is to be read is in the rest."""
    many = Many(tmp_path)
    many.stream.is_sorted = False
    seen = many.look()
    assert sum(view.open for view in seen.shards) == OPEN * (1 + ENDED_GENERATIONS)
    assert many.stream.calls["DescribeStream"] > 36


def test_a_look_sees_how_the_proof_stands(moto_url: str, tmp_path: Path) -> None:
    """And says so where it cannot tell whether the proof is of these tables."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    fill(task, [])

    def look() -> Standing | None:
        observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, FakeStream())
        return observer.look(patient=False).proof

    assert look() is None
    note_whole(task, replica_of(task), 50.0, Open(["a"]))
    assert look() == Standing(0, None, differences=1)
    client.delete_table(TableName=task.destination.table)
    proof = look()
    assert proof and task.destination.table in proof.void

"""A copy that AWS makes, on moto with exports and imports in the documented form."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Side
from kcl_processor.errors import ConfigError, DestinationError, GapError, OperatorError, SourceError
from kcl_processor.launch.copy_mark import (
    CopyState,
    read_mark,
    refuse_uncopied,
    replace_mark,
    settle_mark,
)
from kcl_processor.table.copy_sides import CopyOptions
from kcl_processor.table.copy_task import Copied
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.managed_copy import ManagedOptions, run_managed
from kcl_processor.table.pace import Halt, Halted
from kcl_processor.transform.rules import Rules
from tests.table.copied import state_of
from tests.table.exported import buckets
from tests.table.managed_aws import ManagedAws

KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "n", "AttributeType": "N"},
    ],
    "ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": 70},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-n",
            "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 30, "WriteCapacityUnits": 70},
        }
    ],
}
ITEMS = [{"pk": {"S": f"order-{number}"}, "n": {"N": str(number)}} for number in range(25)]


class Waiting(Halt):
    """A halt whose waiting takes no time, and that something may happen in.

    Args:
        stop_after: is halted by so many waits.
    """

    def __init__(self, stop_after: int = 1000, then: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._left = stop_after
        self._then = then

    def wait(self, seconds: float) -> None:
        self._left -= bool(seconds)
        if self._left < 0:
            self.set()
        super().wait(min(seconds, 0.01))
        if seconds and self._then:
            self._then()


class Ahead(SystemClock):
    """A clock that is turned forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


def raise_halted() -> None:
    raise Halted


class Telling(CopyListener):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def tell(self, text: str) -> None:
        self.lines.append(text)


class World:
    """A task whose source holds some items, and whose destination is not there."""

    def __init__(
        self, aws: ManagedAws, url: str, folder: Path, *, stream: bool = True, **options: Any
    ) -> None:
        self.aws = aws
        self.task = aws.task(url, **options)
        self.folder = folder
        self.client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=aws.url)
        on = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        streaming = {"StreamSpecification": on} if stream else {}
        self.client.create_table(TableName=self.task.source.table, **streaming, **KEYS)
        for item in ITEMS:
            self.client.put_item(TableName=self.task.source.table, Item=item)
        self.told = Telling()
        self.asked: list[str] = []

    @property
    def destination(self) -> Side:
        return self.task.destination

    def allow(self, what: str) -> None:
        self.asked.append(what)

    def copy(
        self,
        halt: Halt | None = None,
        bucket: str = "exports",
        clock: Clock | None = None,
        **options: Any,
    ) -> Copied:
        name = f"{bucket}-{self.task.name}"
        managed = ManagedOptions(name, "some/where", self.allow)
        files = TaskFiles(self.task, self.folder)
        chosen = CopyOptions(processes=1, **options)
        return run_managed(
            managed, files, chosen, self.told, halt or Waiting(), clock or SystemClock()
        )

    def make_destination(self) -> None:
        self.client.create_table(TableName=self.destination.table, **KEYS)

    def held(self) -> list[Any]:
        found = self.client.scan(TableName=self.destination.table)["Items"]
        return sorted(found, key=lambda item: int(item["n"]["N"]))

    def state(self) -> CopyState | None:
        return state_of(self.task)

    def jobs(self) -> list[str]:
        return [
            call for call in self.aws.calls if call in ("ExportTableToPointInTime", "ImportTable")
        ]


Make = Callable[..., World]


@pytest.fixture
def make(managed: tuple[ManagedAws, str], tmp_path: Path) -> Make:
    return lambda **options: World(*managed, tmp_path, **options)


def test_aws_exports_and_imports(make: Make) -> None:
    """Recovery is turned on, the table is like the source, and the daemon may follow."""
    world = make()
    began = time.time()
    copied = world.copy()
    assert world.held() == ITEMS and copied.whole and len(world.asked) == 1
    made = world.client.describe_table(TableName=world.destination.table)["Table"]
    for name in ("KeySchema", "GlobalSecondaryIndexes", "ProvisionedThroughput"):
        ours = world.client.describe_table(TableName=world.task.source.table)["Table"][name]
        assert like(made[name]) == like(ours)
    mark = read_mark(world.task)
    assert mark and mark.state is CopyState.DONE
    # The moment that was exported, by its service's clock.
    assert began + world.aws.lead <= mark.started_at <= time.time() + world.aws.lead
    assert copied.progress.written == len(ITEMS)
    assert world.jobs() == ["ExportTableToPointInTime", "ImportTable"]


def like(part: Any) -> Any:
    """What was asked for, of what is described."""
    if isinstance(part, list):
        return [like(one) for one in part]
    if isinstance(part, dict):
        return {
            name: like(value)
            for name, value in part.items()
            if name not in ("IndexArn", "NumberOfDecreasesToday")
        }
    return part


def test_a_stream_that_is_off_is_turned_on_before_the_export(make: Make) -> None:
    """Asked, as recovery is; what changes from then on is in it."""
    world = make(stream=False)
    world.copy()
    assert [what.split(" is off")[0] for what in world.asked] == [
        "The stream of the source",
        "Point-in-time recovery of the source",
    ]
    calls = world.aws.calls
    assert calls.index("UpdateTable") < calls.index("ExportTableToPointInTime")
    assert world.held() == ITEMS


def test_a_finished_one_is_not_made_again(make: Make) -> None:
    """Nothing is asked for; nobody is asked."""
    world = make()
    world.copy()
    calls = world.jobs()
    assert world.copy().progress.written == len(ITEMS)
    assert world.jobs() == calls


def test_it_goes_on_wherever_it_was_stopped(make: Make) -> None:
    """By the same jobs: after whatever wait it was cut off, each is asked for once."""
    stops = 0
    world = make()
    world.aws.looks = 4
    for _ in range(40):
        try:
            world.copy(Waiting(stop_after=1))
        except Halted:
            stops += 1
            continue
        break
    assert stops > 3 and world.held() == ITEMS and world.state() is CopyState.DONE
    assert world.jobs() == ["ExportTableToPointInTime", "ImportTable"]


@pytest.mark.parametrize("operation", ["ExportTableToPointInTime", "ImportTable"])
def test_a_job_whose_answer_was_lost_is_not_asked_for_twice(make: Make, operation: str) -> None:
    """A run that ended before it knew the job's name finds it by the token that it had noted."""
    world = make()
    # More than the attempts of one call.
    world.aws.lost_answers[operation] = 6
    with pytest.raises(OperatorError, match=f"{operation} on table .* failed"):
        world.copy()
    world.copy()
    assert world.held() == ITEMS
    assert len(world.aws.jobs) == 2


def cut_off_as_it_asked(world: World) -> None:
    """A run asks for the import, and ends before it knows its name; a day passes."""
    world.aws.lost_answers["ImportTable"] = 6
    with pytest.raises(OperatorError, match=r"ImportTable on table .* failed"):
        world.copy()
    world.aws.forget_tokens()


def test_an_import_whose_token_is_forgotten_is_found_by_its_table(make: Make) -> None:
    """A run that was killed before it noted the import's name, and is gone on with a day later."""
    world = make()
    cut_off_as_it_asked(world)
    # Another one, of a table that was there before.
    job = world.aws.jobs[list(world.aws.jobs)[-1]]
    older = {**job, "ImportArn": f"{job['ImportArn']}-older", "ClientToken": "another"}
    world.aws.jobs = {older["ImportArn"]: older, **world.aws.jobs}
    asked = world.jobs().count("ImportTable")
    world.copy()
    assert world.held() == ITEMS and world.state() is CopyState.DONE
    assert world.jobs().count("ImportTable") == asked


def test_an_import_that_is_another_s_is_refused(make: Make) -> None:
    """A table of that name came between."""
    world = make()
    cut_off_as_it_asked(world)
    for job in world.aws.jobs.values():
        job["ClientToken"] = "another"
    with pytest.raises(OperatorError, match="ResourceInUse"):
        world.copy()
    assert world.state() is CopyState.BEGUN


def during_the_import(world: World, happens: Callable[[], None]) -> Waiting:
    """Lets something happen once, while AWS imports."""
    due = [happens]

    def then() -> None:
        if "DescribeImport" in world.aws.calls and due:
            due.pop()()

    return Waiting(then=then)


def test_a_stream_that_was_off_during_the_import_is_refused_at_its_end(make: Make) -> None:
    """What changed meanwhile is in neither: no daemon may follow."""
    world = make()

    def turn_off_and_on() -> None:
        world.aws.newer_stream = "2033-05-18T03:33:20.000"

    for halt in (during_the_import(world, turn_off_and_on), Waiting()):
        with pytest.raises(ConfigError, match=r"stream of .* is not the one that this copy began"):
            world.copy(halt)
        assert world.state() is CopyState.BEGUN
    assert world.jobs() == ["ExportTableToPointInTime", "ImportTable"]


@pytest.mark.parametrize("cut_off", [False, True])
def test_an_import_that_outlasts_the_stream_says_what_to_type(make: Make, *, cut_off: bool) -> None:
    """It is waited for, and no daemon follows it as it is: its code is that of a gap."""
    world = make()
    clock = Ahead()

    def pass_a_day() -> None:
        clock.ahead = 25 * 3600.0

    if cut_off:
        with pytest.raises(Halted):
            world.copy(during_the_import(world, raise_halted), clock=clock)
        pass_a_day()
    halt = Waiting() if cut_off else during_the_import(world, pass_a_day)
    for again in (halt, Waiting()):
        with pytest.raises(GapError, match=r"began 2[45]\.\d h ago") as raised:
            world.copy(again, clock=clock)
        assert f"run --adopt {world.task.name}" in raised.value.hint
        assert f"verify --repair --delete-extra {world.task.name}" in raised.value.hint
    assert world.held() == ITEMS and world.state() is CopyState.DONE
    assert world.jobs() == ["ExportTableToPointInTime", "ImportTable"]
    with pytest.raises(GapError):
        settle_mark(world.task, clock.now(), started=False, adopt=False)
    assert settle_mark(world.task, clock.now(), started=False, adopt=True) is None


def test_an_import_keeps_the_daemon_and_other_copies_out(make: Make) -> None:
    """Its mark says so, and beats; one that lost its place to another stops."""
    world = make()
    beats = set()

    def look() -> None:
        mark = read_mark(world.task)
        if mark:
            beats.add(mark.beat_at)
            with pytest.raises(ConfigError, match="is not finished") as raised:
                refuse_uncopied(world.task, mark, time.time(), started=False)
            assert "--managed" in raised.value.hint

    world.aws.looks = 4
    world.copy(Waiting(then=look))
    assert len(beats) > 2


def test_a_copy_that_lost_its_place_stops(make: Make) -> None:
    """Another was begun: the daemon may not follow this one."""
    world = make()

    def take() -> None:
        mark = read_mark(world.task)
        if mark and mark.host != "another":
            replace_mark(world.task, mark, replace(mark, token="other", host="another"))

    with pytest.raises(ConfigError, match=r"Another copy of task .* was begun on another"):
        world.copy(Waiting(then=take))
    assert world.state() is CopyState.BEGUN


@pytest.mark.parametrize("displaced", [False, True])
def test_an_import_whose_copy_was_given_up_is_not_gone_on_with(
    make: Make, *, displaced: bool
) -> None:
    """A daemon has followed something else since, and has checkpoints of its own: they stay, and
    nobody is told to stop it first."""
    world = make()
    with pytest.raises(Halted):
        world.copy(during_the_import(world, raise_halted))
    mark = read_mark(world.task)
    assert mark
    other = replace(mark, token="other", host="another") if displaced else None
    assert replace_mark(world.task, mark, other)
    what = "was begun on another" if displaced else "gave it up"
    with pytest.raises(ConfigError, match=what) as raised:
        world.copy()
    assert displaced or "verify" in raised.value.hint
    assert read_mark(world.task) == other
    assert world.jobs() == ["ExportTableToPointInTime", "ImportTable"]


def test_where_the_destination_is_our_own_writer_lays_the_export(make: Make) -> None:
    """From the same export, wherever it was stopped."""
    world = make()
    world.make_destination()
    world.copy()
    assert world.held() == ITEMS and world.state() is CopyState.DONE
    assert world.jobs() == ["ExportTableToPointInTime"]
    assert any("Our own writer lays the export" in line for line in world.told.lines)
    world.copy()
    assert world.jobs() == ["ExportTableToPointInTime"]


def test_rules_forbid_an_import(make: Make) -> None:
    """Without a destination nothing is asked for; with one the rules hold."""
    world = make(rules=Rules(where="n < `5`"))
    with pytest.raises(ConfigError, match="the task has rules, and an import takes items as they"):
        world.copy()
    assert world.jobs() == [] and world.asked == []
    world.make_destination()
    world.copy()
    assert world.held() == ITEMS[:5]


def test_a_destination_that_holds_items_is_refused_before_an_export(make: Make) -> None:
    """It would be paid for in vain."""
    world = make()
    world.make_destination()
    world.client.put_item(TableName=world.destination.table, Item=ITEMS[0])
    with pytest.raises(DestinationError, match="holds items"):
        world.copy()
    assert world.jobs() == []


def test_a_no_leaves_everything_as_it_is(make: Make) -> None:
    """Recovery stays off, and the next run asks again."""
    world = make()

    def refuse(_what: str) -> None:
        raise ConfigError("no", "")

    world.allow = refuse  # type: ignore[method-assign, assignment]
    for _ in range(2):
        with pytest.raises(ConfigError, match="no"):
            world.copy()
    assert "UpdateContinuousBackups" not in world.aws.calls and world.jobs() == []


def test_an_export_that_failed_is_asked_for_again(make: Make) -> None:
    """Told with AWS's words; the next run asks for another."""
    world = make()
    world.aws.fail["ExportTableToPointInTime"] = "AccessDenied"
    with pytest.raises(SourceError, match="failed: AccessDenied: as told"):
        world.copy()
    world.aws.fail.clear()
    world.copy(bucket="others")
    assert world.held() == ITEMS


@pytest.mark.parametrize("lost", [0, 3])
def test_an_import_that_is_not_whole_is_told(make: Make, lost: int) -> None:
    """Whether it says so itself or its count does; once its table is gone another is asked for."""
    world = make()
    world.aws.lost_items = lost
    if not lost:
        world.aws.fail["ImportTable"] = "ItemValidationError"
    told = "took 22 of 25 items" if lost else "is FAILED: ItemValidationError"
    with pytest.raises(DestinationError, match=told) as raised:
        world.copy()
    assert "aws dynamodb delete-table" in raised.value.hint
    assert world.state() is CopyState.BEGUN
    world.aws.lost_items = 0
    world.aws.fail.clear()
    world.client.delete_table(TableName=world.destination.table)
    world.copy()
    assert world.held() == ITEMS and world.state() is CopyState.DONE
    assert world.jobs() == ["ExportTableToPointInTime", "ImportTable", "ImportTable"]


@pytest.mark.parametrize("made_anew", [False, True])
def test_an_imported_table_that_was_deleted_is_not_taken_for_whole(
    make: Make, *, made_anew: bool
) -> None:
    """Nor is another of its name, to which nothing was copied: no daemon may follow."""
    world = make()
    with pytest.raises(Halted):
        world.copy(during_the_import(world, raise_halted))
    world.client.delete_table(TableName=world.destination.table)
    if made_anew:
        world.make_destination()
    with pytest.raises(DestinationError, match="was deleted since") as raised:
        world.copy()
    assert "prepare" not in raised.value.hint and world.state() is CopyState.BEGUN
    if made_anew:
        world.copy(bucket="others", restart=True)
    else:
        world.copy()
    assert world.held() == ITEMS and world.state() is CopyState.DONE


def test_an_export_that_has_left_its_bucket_is_asked_for_anew(make: Make) -> None:
    """By what the error says to type: what was asked for is not forgotten by itself."""
    world = make()
    with pytest.raises(Halted):
        world.copy(Waiting(stop_after=1))
    bucket = f"exports-{world.task.name}"
    s3 = buckets(world.aws.url)
    for found in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    with pytest.raises(SourceError, match="no export ended there") as raised:
        world.copy()
    assert "copy --managed --restart" in raised.value.hint
    world.copy(restart=True)
    assert world.held() == ITEMS and world.state() is CopyState.DONE


def test_an_import_that_is_too_late_is_not_asked_for(make: Make) -> None:
    """The export's time counts."""
    world = make()
    world.aws.lead = 10 - 23.1 * 3600
    with pytest.raises(SourceError, match="what changed between them is in neither"):
        world.copy()
    assert world.jobs() == ["ExportTableToPointInTime"]


def test_a_restart_forgets_what_was_asked_for(make: Make) -> None:
    """Another export, and over a destination that is there by our own writer."""
    world = make()
    world.copy()
    world.copy(bucket="others", restart=True, to_empty_only=False)
    assert world.jobs().count("ExportTableToPointInTime") == 2
    assert world.held() == ITEMS and world.state() is CopyState.DONE

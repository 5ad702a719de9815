"""Gaps healed by incremental exports, on moto with exports in the documented form."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.own_rows import read_own
from kcl_processor.fleet.pause import Pause, pause, resume
from kcl_processor.launch.preflight import key_schema, key_types
from kcl_processor.state.gaps import Gap, note_gap, open_gaps
from kcl_processor.table import heal as heal_module
from kcl_processor.table.export_job import turn_recovery_on
from kcl_processor.table.heal import BY_HAND, Healing, KeyHealer, run_heal
from kcl_processor.table.heal_beside import ATTEMPTS, Paused, UnlessPaused, heal_beside
from kcl_processor.table.pace import Halt, Halted
from kcl_processor.table.repair import Outcome
from kcl_processor.table.table_reader import Item
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform
from tests.kcl_tables import make_source_and_destination
from tests.table.managed_aws import ManagedAws

HOUR = 3600
BEGIN = 1_700_000_000
# The stream rounds down to the second when the last change was made that was read.
LOST_FROM = BEGIN + 0.5
END = BEGIN + 2 * HOUR
NOW = BEGIN + 30 * HOUR
SHARD = "shardId-00000001699990000000-abcdef01"
Image = dict[str, Any]


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def gap(shard: str | None = SHARD, since: float | None = BEGIN, until: float = END) -> Gap:
    return Gap(NOW, shard, "5", None if since is None else iso(since), iso(until), "trimmed")


def begun(moment: float) -> str:
    """A shard that was made at a moment."""
    return f"shardId-{int(moment * 1000):020}-abcdef01"


def history(seed: int) -> list[tuple[float, Image, Image | None]]:
    """Changes of a few keys: before the gap, in it, and behind it."""
    chance = random.Random(seed)
    moments = chance.sample(range(BEGIN - HOUR, END + HOUR), 40)
    changes: list[tuple[float, Image, Image | None]] = []
    for moment in sorted({*moments} - {BEGIN}):
        key = {"pk": {"S": f"k{chance.randrange(12)}"}}
        item = {**key, "n": {"N": str(chance.randrange(10))}, "at": {"N": str(moment)}}
        changes.append((moment, key, item if chance.random() < 0.6 else None))
    names = ("new", "old", "brief", "laid")
    made, gone, brief, laid = ({"pk": {"S": name}, "n": {"N": "1"}} for name in names)
    keys = [{"pk": item["pk"]} for item in (made, gone, brief, laid)]
    return sorted(
        [
            *changes,
            (BEGIN + 60, keys[0], made),
            (BEGIN - 60, keys[1], gone),
            (BEGIN + 60, keys[1], None),
            (BEGIN + 60, keys[2], brief),
            (END - 60, keys[2], None),
            # Read and laid within the second that the stream tells of the last change before it.
            (BEGIN + 0.2, keys[3], laid),
            (BEGIN + 60, keys[3], None),
        ],
        key=lambda change: change[0],
    )


class World:
    """A source, and a replica of it that lacks what changed in a gap."""

    def __init__(
        self, aws: ManagedAws, url: str, folder: Path, seed: int = 0, **options: Any
    ) -> None:
        self.aws = aws
        self.task = aws.task(url, **options)
        self.client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=aws.url)
        make_source_and_destination(self.task)
        make_kcl_tables(self.task)
        self.files = TaskFiles(self.task, folder)
        for side in (self.task.source, self.task.destination):
            turn_recovery_on(side, SystemClock(), lambda _seconds: None)
        aws.recovery = (BEGIN - HOUR, NOW + HOUR)
        self.transform = self._transform()
        self.changes = aws.history.setdefault(self.task.source.table, history(seed))
        self.laid = aws.history.setdefault(self.task.destination.table, [])
        for moment, key, item in self.changes:
            self._apply(self.task.source.table, key, item)
            if not LOST_FROM < moment <= END:
                self._replicate(moment, key, item)

    def _transform(self) -> Transform | None:
        if self.task.rules is None:
            return None
        described = self.client.describe_table(TableName=self.task.source.table)["Table"]
        keys = key_types(key_schema(described))
        return Transform(self.task.rules, keys, keys)

    def _apply(self, table: str, key: Image, item: Image | None) -> None:
        if item is None:
            self.client.delete_item(TableName=table, Key=key)
        else:
            self.client.put_item(TableName=table, Item=item)

    def _replicate(self, moment: float, key: Image, item: Image | None) -> None:
        laid = self.transform.lay(item) if self.transform else item
        self._apply(self.task.destination.table, key, laid)
        self.laid.append((moment + 1, key, laid))

    def wanted(self) -> list[Image]:
        found = self._scan(self.task.source.table)
        laid = [self.transform.lay(item) if self.transform else item for item in found]
        return _sorted(item for item in laid if item)

    def held(self) -> list[Image]:
        return _sorted(self._scan(self.task.destination.table))

    def _scan(self, table: str) -> list[Image]:
        found: list[Image] = self.client.scan(TableName=table)["Items"]
        return found

    def note(self, *gaps: Gap, files: TaskFiles | None = None) -> None:
        for one in gaps:
            note_gap((files or self.files).gaps, one)

    def heal(
        self,
        bucket: str | None = "changes",
        files: TaskFiles | None = None,
        attempts: int = BY_HAND,
    ) -> list[Healing]:
        place = (f"{bucket}-{self.task.name}", "spans") if bucket else None
        told: list[str] = []
        halt, clock = Quick(), SystemClock()
        return run_heal(files or self.files, place, told.append, halt, clock, attempts)

    def exports(self) -> int:
        """How many AWS has made."""
        return len(self.aws.jobs)


class Quick(Halt):
    """A halt whose waiting takes no time."""

    def wait(self, seconds: float) -> None:
        super().wait(min(seconds, 0.001))


def _sorted(items: Any) -> list[Image]:
    return sorted(items, key=lambda item: str(item["pk"]["S"]))


Make = Callable[..., World]


@pytest.fixture
def make(managed: tuple[ManagedAws, str], tmp_path: Path) -> Make:
    return lambda **options: World(*managed, tmp_path, **options)


@pytest.mark.parametrize("seed", range(3))
def test_a_gap_is_healed_and_settled(make: Make, seed: int) -> None:
    """Whatever was made, changed or deleted in it: both sides are equal then."""
    world = make(seed=seed)
    world.note(gap())
    assert world.held() != world.wanted()
    (healing,) = world.heal()
    assert world.held() == world.wanted()
    assert healing.open is None and open_gaps(world.files.gaps) == []
    assert healing.outcomes[Outcome.PUT] and healing.outcomes[Outcome.DELETED]
    # The gap was found thirty hours later: that takes two of the destination.
    assert world.heal() == [] and world.exports() == 3


def test_a_gap_of_a_shard_that_was_not_read_before_begins_with_it(make: Make) -> None:
    """What was made, laid and deleted since then is in no export of the source."""
    world = make(seed=5)
    world.note(gap(since=BEGIN - HOUR / 2, shard=begun(BEGIN - HOUR / 2)))
    (healing,) = world.heal()
    assert world.held() == world.wanted()
    assert healing.open is None and open_gaps(world.files.gaps) == []


def test_without_what_was_laid_a_gap_is_not_healed(make: Make) -> None:
    """So it needs both exports."""
    world = make()
    world.laid.clear()
    world.note(gap())
    world.heal()
    assert {"S": "laid"} in [item["pk"] for item in world.held()]
    assert {"S": "laid"} not in [item["pk"] for item in world.wanted()]


def test_a_stream_that_was_off_is_healed_by_both_sides(make: Make) -> None:
    """Until the next one was turned on."""
    world = make()
    world.note(replace(gap(None, BEGIN - 90), checkpoint="arn/stream/the-old-one"))
    (healing,) = world.heal()
    assert healing.open is None and world.held() == world.wanted()


@pytest.mark.parametrize("seed", range(2))
def test_rules_hold_where_a_gap_is_healed(make: Make, seed: int) -> None:
    """An item that left the rules in the gap leaves the replica; one that came in is laid."""
    world = make(seed=seed, rules=Rules(where="n < `5`", exclude=("at",)))
    world.note(gap())
    assert world.held() != world.wanted()
    (healing,) = world.heal()
    assert healing.open is None and world.held() == world.wanted()


def test_gaps_whose_spans_meet_take_the_same_exports(make: Make) -> None:
    """They are of the whole table, and each shard has a first and a last lost change of its own."""
    world = make()
    gaps = [
        replace(gap(since=BEGIN + at, until=END - at), shard=f"{SHARD[:-1]}{at}") for at in range(4)
    ]
    world.note(*gaps, replace(gap(), checkpoint="9", until=iso(END + 60)))
    assert [healing.open for healing in world.heal()] == [None] * 5
    assert world.held() == world.wanted() and world.exports() == 3
    # One whose span is far from theirs has its own.
    world.aws.recovery = (0, NOW + HOUR)
    world.note(replace(gap(since=BEGIN - 3 * HOUR, until=BEGIN - 2 * HOUR), checkpoint="1"))
    assert [healing.open for healing in world.heal()] == [None]
    assert world.exports() > 3 + 1


def test_a_stop_is_not_kept_waiting_by_the_keys_that_were_read(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are being made good are the last."""
    world, halt = make(), Quick()
    world.note(gap())
    seen: list[Item] = []

    def stop(_healer: KeyHealer, changed: Item) -> Outcome:
        seen.append(changed)
        halt.set()
        return Outcome.SETTLED

    monkeypatch.setattr(KeyHealer, "heal", stop)
    monkeypatch.setattr(heal_module, "_THREADS", 1)
    place = (f"changes-{world.task.name}", "spans")
    with pytest.raises(Halted):
        run_heal(world.files, place, lambda _line: None, halt, SystemClock())
    assert len(seen) == 1 and len(open_gaps(world.files.gaps)) == 1


@pytest.mark.parametrize(("python", "outcome"), [(None, "settled"), ("m:f", "left")])
def test_what_was_laid_nowhere_before_and_after_is_equal(python: str | None, outcome: str) -> None:
    """By rules that make a key of an attribute, an item that was made in the gap and deleted behind
    it has none. What was laid in between is looked at by itself."""

    class Gone:
        """A source that holds nothing, rules, and sides that do not tell where an item lay."""

        rules = Rules(python=python)

        def get(self, _keys: list[bytes]) -> dict[bytes, bytes]:
            return {}

        def place(self, _origin: bytes) -> None:
            return None

    nobody: Any = Gone()
    healer = KeyHealer(nobody, nobody, nobody, nobody)
    assert healer.heal(Item(b"key", b"", b"key")).value == outcome


def test_a_gap_that_was_healed_elsewhere_is_settled_without_an_export(
    make: Make, tmp_path: Path
) -> None:
    """Of another host that noted the same one; not of one that lost more behind the same place."""
    world = make()
    world.note(gap())
    world.heal()
    there = TaskFiles(world.task, tmp_path / "another-host")
    world.note(replace(gap(), at=NOW + 5), files=there)
    assert [healing.open for healing in world.heal(files=there)] == [None]
    assert world.exports() == 3 and open_gaps(there.gaps) == []
    world.note(replace(gap(until=END + HOUR), at=NOW + 9), files=there)
    assert [healing.open for healing in world.heal(files=there)] == [None]
    assert world.exports() == 6


def test_an_export_that_failed_is_asked_for_anew(make: Make) -> None:
    """By the next run, though AWS knows the failed one by its token for hours."""
    world = make()
    world.note(gap())
    world.aws.fail["ExportTableToPointInTime"] = "S3NoSuchBucket"
    for _ in range(2):
        (healing,) = world.heal()
        assert healing.export_failed and "failed: S3NoSuchBucket" in str(healing.open)
    world.aws.fail.clear()
    (healing,) = world.heal()
    assert healing.open is None and world.held() == world.wanted()
    # Of three, the first failed in either run; the others were made, and are read.
    assert world.exports() == 5


def test_an_export_that_is_not_seen_yet_is_asked_for_once(make: Make) -> None:
    """One that has just been asked for is no failed one, and each costs money."""
    world = make()
    world.note(gap())
    world.aws.unseen = 2
    (healing,) = world.heal()
    assert healing.open is None and world.exports() == 3


def test_exports_that_fail_are_asked_for_three_times_in_eight_hours(make: Make) -> None:
    """Beside the daemon, of one span; AWS knows of them, so that no restart begins anew."""
    world = make()
    world.note(gap())
    world.aws.fail["ExportTableToPointInTime"] = "S3NoSuchBucket"
    found = [world.heal(attempts=ATTEMPTS)[0] for _ in range(4)]
    assert all(healing.export_failed for healing in found)
    of_source = f"/{world.task.source.table}"
    assert sum(job["TableArn"].endswith(of_source) for job in world.aws.jobs.values()) == 3
    told = str(found[-1].open)
    assert "3 exports" in told and "within 8 hours" in told and "S3NoSuchBucket: as told" in told
    world.aws.fail.clear()
    world.aws.forget_tokens()
    assert world.heal(attempts=ATTEMPTS)[0].open is None


def test_a_gap_whose_export_fails_keeps_no_other_open(make: Make) -> None:
    """Nor does it hide that the other is healed."""
    world = make()
    bad = gap(since=BEGIN - HOUR / 2, until=BEGIN - HOUR / 3, shard=begun(BEGIN - HOUR / 2))
    world.note(bad, gap(since=BEGIN))
    world.aws.fail["ExportTableToPointInTime"] = "S3NoSuchBucket"
    world.aws.fails_until = BEGIN - 120
    first, second = world.heal()
    assert first.export_failed and second.open is None
    assert world.held() == world.wanted() and open_gaps(world.files.gaps) == [bad]


@pytest.mark.parametrize(
    ("found", "bucket", "recovery", "why"),
    [
        (gap(), None, (0, NOW), "no --bucket was given"),
        (gap(), "b", (BEGIN + 1, NOW), "was turned on after it began"),
        (gap(), "b", (BEGIN - 119, NOW), "recovery of the source was turned on after it began"),
        (gap(shard=None, since=None), "b", (0, NOW), "since when the stream was off is not known"),
    ],
)
def test_what_no_export_heals_stays_open_and_says_why(
    make: Make, found: Gap, bucket: str | None, recovery: tuple[float, float], why: str
) -> None:
    """Nothing is exported for it, nothing is written."""
    world = make()
    world.note(found)
    world.aws.recovery = recovery
    before = world.held()
    (healing,) = world.heal(bucket)
    assert healing.open and why in healing.open
    assert world.exports() == 0 and world.held() == before
    assert open_gaps(world.files.gaps) == [found]


@pytest.mark.parametrize("which", ["source", "destination"])
def test_without_recovery_a_gap_stays_open(make: Make, which: str) -> None:
    """It is not turned on for what is past."""
    world = make()
    world.note(gap())
    side = world.task.source if which == "source" else world.task.destination
    world.client.update_continuous_backups(
        TableName=side.table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    )
    (healing,) = world.heal()
    assert healing.open and f"point-in-time recovery of the {which} is off" in healing.open
    assert world.aws.calls.count("UpdateContinuousBackups") == 2


def test_a_key_that_cannot_be_made_good_leaves_its_gap_open(make: Make) -> None:
    """With how many there are; a rule fails for them."""
    world = make(rules=Rules(set=(("m", "length(note || 'x')"),)), seed=1)
    # Written behind the gap, so that the source holds it as the gap is healed.
    key = {"pk": {"S": "odd"}}
    world.client.put_item(TableName=world.task.source.table, Item={**key, "note": {"N": "1"}})
    world.changes.append((BEGIN + 5, key, {**key, "note": {"N": "1"}}))
    world.note(gap())
    (healing,) = world.heal()
    assert healing.open == "1 key: rule fails"
    assert len(open_gaps(world.files.gaps)) == 1


def test_a_gap_that_is_noted_beside_the_daemon_is_healed(make: Make) -> None:
    """It is open until it is; the row that keeps others out is let go."""
    world = make()

    class Daemon(Quick):
        """It notes a gap some time after its start, and ends when none is open."""

        waits = 0

        def wait(self, seconds: float) -> None:
            self.waits += 1
            if self.waits == 2:
                world.note(gap())
            elif self.waits > 2 and not open_gaps(world.files.gaps):
                self.set()
            super().wait(seconds)

    told: list[str] = []
    halt, clock, place = Daemon(), SystemClock(), (f"changes-{world.task.name}", "spans")
    heal = partial(run_heal, world.files, place, told.append, halt, clock)
    with pytest.raises(Halted):
        heal_beside(world.files, heal, "type this", told.append, halt, clock)
    assert world.held() == world.wanted() and "is healed: " in told[-1]
    row = read_own(world.task, "KclProcessorHealing")
    assert row and row["owner"] == {"S": ""}


def test_nothing_is_let_out_beside_a_daemon_that_is_paused(make: Make) -> None:
    """Be it one shard: an export names keys of each. It is healed once that is over."""
    world = make()
    world.note(gap())
    before = world.held()
    pause(world.task, Pause(SHARD, "me@here", 1.7e9))
    halt = UnlessPaused(Quick(), world.task, SystemClock())
    place = (f"changes-{world.task.name}", "spans")
    with pytest.raises(Paused, match="paused by me@here"):
        run_heal(world.files, place, lambda _line: None, halt, SystemClock())
    assert world.held() == before and len(open_gaps(world.files.gaps)) == 1
    resume(world.task, None)
    run_heal(world.files, place, lambda _line: None, halt, SystemClock())
    assert world.held() == world.wanted() and open_gaps(world.files.gaps) == []

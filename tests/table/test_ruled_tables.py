"""Whole tables under rules, on a moto server: copied, compared, repaired, and letters replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest

from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import SKIP, Task
from kcl_processor.errors import ConfigError, PoisonError
from kcl_processor.launch.copy_mark import CopyState, read_mark
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import DeadLetter, LetterFile
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_sides import CopyOptions
from kcl_processor.table.copy_task import run_copy
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.pace import Halt, Halted
from kcl_processor.table.replay import LetterOutcome, open_replay
from kcl_processor.table.sides import Kind
from kcl_processor.table.verify_share import SegmentResult
from kcl_processor.table.verify_task import VerifyListener, VerifyOptions, run_verify
from kcl_processor.transform.rules import Rules
from tests.fakes import INVALID, HandClock
from tests.kcl_tables import make_task, settle_stream
from tests.table.ruled import (
    BY_FUNCTION,
    JOINED,
    MET,
    MOVING,
    SOURCE_KEYS,
    Given,
    Item,
    item,
)


class Found(VerifyListener):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.kinds: list[Kind] = []

    def difference(self, found: Any, outcome: Any) -> None:
        del outcome
        self.kinds.append(found.kind)


class World:
    """A task with rules, and its two tables."""

    def __init__(self, url: str, folder: Path, rules: Given) -> None:
        self.task: Task = make_task(url, rules=rules[0])
        self.folder = folder
        self.names = tuple(rules[1])
        self._client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url)
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self._create(self.task.source.table, SOURCE_KEYS, StreamSpecification=stream)
        self._create(self.task.destination.table, dict(rules[1]))
        settle_stream(self.task.source.table)

    def _create(self, name: str, keys: dict[str, str], **more: Any) -> None:
        kinds = zip(keys, ("HASH", "RANGE"), strict=False)
        self._client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
            ],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )

    def put(self, *items: Item) -> None:
        for one in items:
            self._client.put_item(TableName=self.task.source.table, Item=one)

    def drop(self, one: Item) -> None:
        key = {name: one[name] for name in SOURCE_KEYS}
        self._client.delete_item(TableName=self.task.source.table, Key=key)

    def plant(self, one: Item) -> None:
        self._client.put_item(TableName=self.task.destination.table, Item=one)

    def uproot(self, pk: str) -> None:
        self._client.delete_item(TableName=self.task.destination.table, Key={"pk": {"S": pk}})

    def held(self) -> dict[str, Item]:
        """The destination's items by their first key attribute."""
        found = self._client.scan(TableName=self.task.destination.table)["Items"]
        return {next(iter(one[self.names[0]].values())): one for one in found}

    def copy(self, halt: Halt | None = None, *, restart: bool = False) -> CopyProgress:
        files = TaskFiles(self.task, self.folder)
        options = CopyOptions(processes=1, force=True, restart=restart, to_empty_only=not restart)
        halt = halt or Halt()
        return run_copy(files, options, CopyListener(), halt, SystemClock()).progress

    def verify(self, **options: Any) -> tuple[SegmentResult, Sequence[Kind]]:
        found = Found()
        chosen = VerifyOptions(patience=0, processes=1, segments=3, **options)
        results = run_verify(self.task, chosen, found, Halt(), SystemClock()).results
        whole = SegmentResult(-1)
        for result in results:
            for name in SegmentResult.__dataclass_fields__:
                if name not in ("segment", "done"):
                    setattr(whole, name, getattr(whole, name) + getattr(result, name))
        return whole, found.kinds

    def letter(self, one: Item, image: Item | None) -> DeadLetter:
        """A change that was set aside, as the source made it."""

        key = canonical_key({name: one[name] for name in SOURCE_KEYS})
        source = Change(key, orjson.dumps(image) if image else None, "7", 0)
        made = Change(b'{"pk":{"S":"x"}}', None, "7", 0, source)
        place = LetterFile(self.folder / f"letters-{len(list(self.folder.iterdir()))}")
        origin = Origin(self.task.name, "source", "replica", "shard-1")
        DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn).refuse(
            made, INVALID
        )
        (found,) = place.letters()
        return found

    def replay(self, one: DeadLetter) -> LetterOutcome:
        return open_replay(self.task, SystemClock(), lambda _seconds: None).apply(one)


Make = Callable[[Given], World]


@pytest.fixture
def make(moto_url: str, tmp_path: Path) -> Make:
    """Makes a task with rules."""
    return lambda rules: World(moto_url, tmp_path, rules)


def test_a_copy_is_verified_and_what_differs_is_repaired(make: Make) -> None:
    """Keys that no scan shows in the source's order; one item missing, one changed, one under a key
    that it has no more, one of no source."""
    world = make(MOVING)
    world.put(*(item("a", number, total=number) for number in range(20)))
    world.put({**item("b", 1), "total": {"L": []}})
    progress = world.copy()
    assert (progress.items, progress.written, progress.outside, progress.met) == (21, 20, 1, 0)
    whole = world.held()
    assert whole["a#3#open"]["total"] == {"N": "3"}
    result, kinds = world.verify()
    assert (result.source, result.laid, result.destination, kinds) == (21, 20, 20, [])
    world.uproot("a#1#open")
    world.plant({**whole["a#2#open"], "total": {"N": "99"}})
    world.plant({**whole["a#3#open"], "pk": {"S": "a#3#paid"}})
    world.plant({**whole["a#4#open"], "id": {"N": "99"}, "pk": {"S": "a#99#open"}})
    result, kinds = world.verify()
    assert sorted(kind.value for kind in kinds) == ["changed", "extra", "extra", "missing"]
    world.verify(repair=True)
    assert world.verify()[1] == [Kind.EXTRA] * 2
    result, _ = world.verify(repair=True, delete_extra=True)
    assert (result.extra, result.differing) == (2, 0)
    assert world.held() == whole


def test_items_that_meet_are_told_by_copy_and_verify(make: Make) -> None:
    """One of them is there, and that is as allowed."""
    world = make(MET)
    world.put(item("a", 1), item("a", 2), item("b", 1))
    progress = world.copy()
    assert progress.items == progress.written + progress.met == 3
    result, kinds = world.verify(repair=True, delete_extra=True)
    assert (kinds, result.colliding, result.differing) == ([Kind.COLLIDING], 1, 0)
    assert world.held().keys() == {"a", "b"}


def test_a_copy_is_not_gone_on_with_by_other_rules(make: Make) -> None:
    """What it has written would be laid otherwise; begun anew, it takes them."""
    world = make(JOINED)
    world.put(item("a", 1))

    class Stopped(Halt):
        """Stops a copy as soon as it is begun."""

        def wait(self, seconds: float) -> None:
            mark = read_mark(world.task)
            if mark and mark.state is CopyState.BEGUN:
                self.set()
            super().wait(min(seconds, 0.01))

    with pytest.raises(Halted):
        world.copy(Stopped())
    rules = Rules(set=(("pk", "join('+', [tenant, to_string(id)])"),))
    world.task = replace(world.task, rules=rules)
    with pytest.raises(ConfigError, match="rules of task") as refused:
        world.copy()
    assert "--restart" in refused.value.hint
    world.copy(restart=True)
    assert world.held().keys() == {"a+1"}


def test_a_copy_stops_at_an_item_whose_rule_fails(make: Make) -> None:
    """Or sets it aside with the source's key and image, and verify tells it."""
    world = make(MOVING)
    bad = {**item("a", 1), "status": {"L": []}}
    world.put(bad, item("a", 2))
    with pytest.raises(PoisonError, match=r"rules fail for an item .*id, tenant") as stopped:
        world.copy()
    assert "4111" not in stopped.value.message
    world.task = replace(world.task, on_poison="dead-letter")
    progress = world.copy(restart=True)
    assert (progress.items, progress.written, progress.refused) == (2, 1, 1)
    (letter,) = LetterFile(Path(TaskFiles(world.task, world.folder).dead_letters)).letters()
    assert (letter.image, letter.key) == (bad, {name: bad[name] for name in SOURCE_KEYS})
    result, kinds = world.verify()
    assert (result.failed, kinds) == (1, [Kind.FAILED])
    assert world.verify(repair=True, delete_extra=True)[1] == [Kind.FAILED]
    assert world.replay(letter) is LetterOutcome.REFUSED
    world.task = replace(world.task, rules=JOINED[0])
    assert world.replay(letter) is LetterOutcome.APPLIED
    assert "a#1" in world.held()


def test_what_stands_for_an_item_whose_rule_fails_now_stays(make: Make) -> None:
    """It is neither equal nor extra, and told once."""
    world = make(MOVING)
    world.put({**item("a", 1), "status": {"L": []}})
    world.plant({**item("a", 1), "pk": {"S": "a#1#open"}})
    result, kinds = world.verify(repair=True, delete_extra=True)
    assert (result.failed, result.extra, kinds) == (1, 0, [Kind.FAILED])
    assert world.held().keys() == {"a#1#open"}


def test_what_time_to_live_deleted_stays_unless_that_is_to_go(make: Make) -> None:
    """Whoever has what is extra deleted means no archive. A task that skips such deletions has no
    rules but that."""
    world = make((Rules(), SOURCE_KEYS))
    world.task = replace(world.task, rules=None, ttl_deletes=SKIP)
    world.put(item("a", 1), item("b", 2))
    assert world.copy().written == 2
    world.drop(item("a", 1))
    assert world.verify(repair=True)[1] == [Kind.KEPT]
    assert world.verify(repair=True, delete_extra=True)[1] == [Kind.KEPT]
    assert world.held().keys() == {"a", "b"}
    assert world.verify(repair=True, delete_extra=True, delete_kept=True)[0].differing == 0
    assert world.held().keys() == {"b"}


def test_a_letter_is_applied_under_the_key_that_its_item_is_laid_to(make: Make) -> None:
    """A put, and a deletion; one that the source has changed since is settled without a write."""
    world = make(JOINED)
    world.put(item("a", 1))
    assert world.replay(world.letter(item("a", 1), item("a", 1))) is LetterOutcome.APPLIED
    assert world.held().keys() == {"a#1"}
    old = world.letter(item("a", 1), item("a", 1, total=9))
    assert world.replay(old) is LetterOutcome.CHANGED
    world.drop(item("a", 1))
    assert world.replay(world.letter(item("a", 1), None)) is LetterOutcome.APPLIED
    assert world.held() == {}


def test_a_letter_of_an_item_outside_the_rules_takes_away_what_stands_for_it(make: Make) -> None:
    """Under the key that it would have."""
    world = make(MOVING)
    outside = {**item("a", 1), "total": {"NULL": True}}
    world.put(outside)
    world.plant({**item("a", 1), "pk": {"S": "a#1#open"}})
    assert world.replay(world.letter(outside, outside)) is LetterOutcome.APPLIED
    assert world.held() == {}


@pytest.mark.parametrize("rules", [MOVING, BY_FUNCTION])
def test_a_deletion_whose_place_nobody_knows_stays(make: Make, rules: Given) -> None:
    """The key of the source's item alone does not tell what the rules made of it."""
    world = make(rules)
    laid = {**item("a", 1), "pk": {"S": "a#1#open"}}
    world.plant(laid)
    assert world.replay(world.letter(item("a", 1), None)) is LetterOutcome.UNTRACED
    assert list(world.held().values()) == [laid]

"""Dead letters applied again, only if their key has not changed since."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.aws.wire import endpoint
from kcl_processor.clock import SystemClock
from kcl_processor.config.access import DEFAULT
from kcl_processor.errors import DestinationError
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import DeadLetter, LetterFile
from kcl_processor.table.pace import Gate, Pace
from kcl_processor.table.patience import PatientCalls
from kcl_processor.table.repair import Repair
from kcl_processor.table.replay import LetterOutcome, Replay
from kcl_processor.table.sides import Sides
from kcl_processor.table.table_reader import TableReader
from tests.fakes import INVALID, HandClock, put, remove

SOURCE = "arn:aws:dynamodb:us-east-1:111111111111:table/source"
ORIGIN = Origin("task", "source", "replica", "shard-1")
OLD = {"pk": {"S": "a"}, "v": {"N": "1"}, "tags": {"SS": ["x", "y"]}}
NEW = {"pk": {"S": "a"}, "v": {"N": "2"}, "extra": {"M": {"b": {"BOOL": True}}}}
WIDE = {"pk": {"S": "a"}, **{f"attribute-{n}": {"N": str(n)} for n in range(400)}}


@dataclass
class Side:
    """One table, written by its owner and read by the product."""

    client: Any
    name: str
    calls: PatientCalls

    def hold(self, item: dict[str, Any]) -> None:
        self.client.put_item(TableName=self.name, Item=item)

    def drop(self) -> None:
        self.client.delete_item(TableName=self.name, Key={"pk": {"S": "a"}})

    def held(self) -> Any:
        return self.client.get_item(TableName=self.name, Key={"pk": {"S": "a"}}).get("Item")

    def reader(self) -> TableReader:
        return TableReader(self.calls, ["pk"], page_items=1)


@pytest.fixture
def sides(moto_url: str) -> Iterator[tuple[Side, Side]]:
    """A source and a destination, both empty."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    made = []
    for name in ("replay-source", "replay-destination"):
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        clock = HandClock()
        wire = endpoint("us-east-1", moto_url, DEFAULT, 1, SystemClock())
        pace, gate = Pace(None, clock, clock.turn), Gate(Window())
        calls = PatientCalls(name, wire, DestinationError, pace, gate, clock, clock.turn)
        made.append(Side(client, name, calls))
    yield made[0], made[1]
    for side in made:
        client.delete_table(TableName=side.name)


def replaying(source: Side, destination: Side, reader: TableReader | None = None) -> Replay:
    """A replay; ``reader`` stands in for the source's."""
    reader = reader or source.reader()
    both = Sides(reader, destination.reader())
    repair = Repair(both, destination.calls, delete_extra=True, dry_run=False)
    return Replay("task", SOURCE, reader, repair)


def letter(path: Path, change: Change, origin: Origin = ORIGIN) -> DeadLetter:
    place = LetterFile(path)
    DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn).refuse(change, INVALID)
    (found,) = place.letters()
    return found


def change(item: dict[str, Any]) -> Change:
    attributes = {name: value for name, value in item.items() if name != "pk"}
    return put("a", 7, **attributes)


def test_a_letter_is_applied_if_the_source_still_says_so(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    """Over an older item, over none, and as a deletion."""
    source, destination = sides
    source.hold(NEW)
    found = letter(tmp_path / "dead", change(NEW))
    assert replaying(*sides).apply(found) is LetterOutcome.APPLIED
    destination.hold(OLD)
    assert replaying(*sides).apply(found) is LetterOutcome.APPLIED
    assert destination.held() == NEW
    source.drop()
    deletion = letter(tmp_path / "deletion", remove("a", 8))
    assert replaying(*sides).apply(deletion) is LetterOutcome.APPLIED
    assert destination.held() is None


@pytest.mark.parametrize(
    ("arn", "outcome"),
    [
        (SOURCE, LetterOutcome.CHANGED),
        ("", LetterOutcome.CHANGED),
        (SOURCE.replace("1" * 12, "2" * 12), LetterOutcome.FOREIGN),
    ],
)
def test_a_letter_of_another_account_is_not_settled(
    sides: tuple[Side, Side], tmp_path: Path, arn: str, outcome: LetterOutcome
) -> None:
    """There the task and its tables have the same names, and this source knows nothing of its
    items: taken for changed since, the letter would be gone, and its change with it."""
    origin = dataclasses.replace(ORIGIN, source_arn=arn)
    found = letter(tmp_path / "dead", change(NEW), origin)
    assert replaying(*sides).apply(found) is outcome


def test_a_letter_whose_key_is_not_the_tables_stays(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    """It is of a table of that name that had other keys, and stands in the way of no other."""
    found = letter(tmp_path / "dead", dataclasses.replace(put("a", 7), key=b'{"id":{"S":"a"}}'))
    assert replaying(*sides).apply(found) is LetterOutcome.REFUSED


def test_an_item_of_four_hundred_attributes_is_applied(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    """A condition takes 300 operators, so it compares a part of such an item."""
    source, destination = sides
    source.hold(WIDE)
    destination.hold({**WIDE, "attribute-7": {"N": "-1"}})
    found = letter(tmp_path / "dead", change(WIDE))
    assert replaying(*sides).apply(found) is LetterOutcome.APPLIED
    assert destination.held() == WIDE


def test_a_letter_whose_key_has_changed_since_is_not_applied(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    """A newer change at the source is the daemon's to bring; an older one never overwrites it."""
    source, destination = sides
    source.hold(NEW)
    destination.hold(NEW)
    assert replaying(*sides).apply(letter(tmp_path / "dead", change(OLD))) is LetterOutcome.CHANGED
    assert destination.held() == NEW


class Meanwhile(TableReader):
    """The source's reader; after its second reading something happens, once."""

    def __init__(self, source: Side, happens: Callable[[], None]) -> None:
        super().__init__(source.calls, ["pk"], page_items=1)
        self._happens = happens
        self._readings = 0

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found = super().get(keys)
        self._readings += 1
        if self._readings == 2:
            self._happens()
        return found


@pytest.mark.parametrize("before", [None, OLD])
def test_a_change_that_arrives_meanwhile_stays(
    sides: tuple[Side, Side], tmp_path: Path, before: dict[str, Any] | None
) -> None:
    """What the daemon writes between our reading and our writing is never written over."""
    source, destination = sides
    newer = {**NEW, "v": {"N": "3"}}
    source.hold(NEW)
    if before:
        destination.hold(before)

    def daemon_brings_newer() -> None:
        source.hold(newer)
        destination.hold(newer)

    reader = Meanwhile(source, daemon_brings_newer)
    replaying(source, destination, reader).apply(letter(tmp_path / "dead", change(NEW)))
    assert destination.held() == newer


def test_an_item_that_is_deleted_meanwhile_does_not_come_back(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    """The destination has none before and none after: the condition holds, and the look mends."""
    source, destination = sides
    source.hold(NEW)
    reader = Meanwhile(source, source.drop)
    replaying(source, destination, reader).apply(letter(tmp_path / "dead", change(NEW)))
    assert destination.held() is None


def test_a_letter_of_another_task_is_left_alone(sides: tuple[Side, Side], tmp_path: Path) -> None:
    """A queue may hold letters of several; applied here, one would land in the wrong table."""
    source, destination = sides
    source.hold(NEW)
    foreign = dataclasses.replace(letter(tmp_path / "dead", change(NEW)), task="other")
    assert replaying(*sides).apply(foreign) is LetterOutcome.FOREIGN
    assert destination.held() is None

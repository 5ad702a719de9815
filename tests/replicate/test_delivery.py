"""A delivery under rules: whatever is read, however often, the replica ends as the rules say."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import PoisonError, SourceError
from kcl_processor.replicate.breaker import MOST_REFUSALS, Breaker
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.coalesce import coalesce
from kcl_processor.replicate.delivery import PlainReader, RuledReader
from kcl_processor.replicate.refusals import Origin, StopOnRefusal
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Image, RuleFailed, Transform

KEYS = {"pk": "S"}
# The key stays, has another name, is made of more, or may move; or items are filtered.
RULES = {
    "exclude": (Rules(exclude=("note",)), KEYS),
    "rename": (Rules(rename=(("id", "pk"),)), {"id": "S"}),
    "where": (Rules(where="n > `1`"), KEYS),
    "another key": (Rules(set=(("id", "join('#', [kind, pk])"),)), {"id": "S"}),
    "moves and filters": (
        Rules(where="n > `0`", set=(("pk", "join('#', [pk, kind])"),), exclude=("note",)),
        KEYS,
    ),
    "sort key": (Rules(), {"pk": "S", "n": "N"}),
}


@dataclass
class Set:
    """Where refused changes go; counted."""

    refused: list[tuple[Change, Answer]]

    def refuse(self, change: Change, answer: Answer) -> None:
        self.refused.append((change, answer))


def reader(rules: Rules, keys: dict[str, str], **options: Any) -> tuple[RuledReader, Set]:
    aside = Set([])
    transform = Transform(rules, KEYS, keys)
    options = {"keep_expired": False, **options}
    return RuledReader(transform, aside, Breaker("replica"), **options), aside


def item(pk: str, n: int, kind: str, note: str = "") -> Image:
    return {"pk": {"S": pk}, "n": {"N": str(n)}, "kind": {"S": kind}, "note": {"S": note}}


items = st.builds(item, st.sampled_from("ab"), st.integers(0, 3), st.sampled_from(["", "x", "y"]))
edits = st.lists(st.one_of(items, st.sampled_from("ab")), max_size=12)


def history(log: list[Image | str]) -> tuple[list[Any], list[dict[str, Image]]]:
    """The stream's records of puts of items and deletions of keys, and the source after each."""
    source: dict[str, Image] = {}
    records, after = [], []
    for number, edit in enumerate(log):
        pk = edit if isinstance(edit, str) else edit["pk"]["S"]
        old, new = source.get(pk), None if isinstance(edit, str) else edit
        if old is None and new is None:
            continue
        records.append(record(number, pk, old, new))
        source = {k: v for k, v in {**source, pk: new}.items() if v is not None}
        after.append(source)
    return records, after


def record(number: int, pk: str, old: Image | None, new: Image | None, identity: Any = None) -> Any:
    event = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
    images = {"NewImage": new, "OldImage": old}
    body = {
        "eventName": event,
        "userIdentity": identity,
        "dynamodb": {
            "Keys": {"pk": {"S": pk}},
            **{name: image for name, image in images.items() if image is not None},
        },
    }
    return SimpleNamespace(binary_data=orjson.dumps(body), sequence_number=str(number))


def expected(rules: Rules, keys: dict[str, str], source: dict[str, Image]) -> dict[bytes, Image]:
    transform = Transform(rules, KEYS, keys)
    held = {}
    for one in source.values():
        try:
            laid = transform.lay(one)
        except RuleFailed:
            continue
        if laid is not None:
            held[canonical_key(transform.key_of(laid))] = laid
    return held


def apply(replica: dict[bytes, Image], writes: list[Change]) -> None:
    for write in coalesce(writes):
        if write.image is None:
            replica.pop(write.key, None)
        else:
            replica[write.key] = orjson.loads(write.image)


@pytest.mark.parametrize("name", RULES)
@given(log=edits, data=st.data())
def test_a_stream_read_in_any_batches_ends_as_the_rules_say(
    name: str, log: list[Image | str], data: st.DataObject
) -> None:
    """Begun with a copy of any moment, read in batches, begun again at any earlier record."""
    rules, keys = RULES[name]
    records, after = history(log)
    at = data.draw(st.integers(0, len(records)))
    replica = expected(rules, keys, after[at - 1] if at else {})
    ends = data.draw(st.lists(st.integers(0, len(records)), max_size=4))
    read, _ = reader(rules, keys)
    position = 0
    for end in [*ends, len(records)]:
        # A restart reads again from anywhere before; the stream is never read past its end.
        position = min(position, data.draw(st.integers(0, position)))
        apply(replica, read.read(records[position:end])[1])
        position = max(position, end)
    source = after[-1] if after else {}
    assert replica == expected(rules, keys, source)


def test_without_rules_a_delivery_is_what_the_source_made() -> None:
    """Nothing is made of it."""
    changes, writes = PlainReader().read([record(1, "a", None, item("a", 1, "x"))])
    assert changes is writes and len(changes) == 1


def test_a_change_of_the_filter_puts_and_deletes() -> None:
    """In, out, and out still: a put, a deletion, nothing."""
    read, _ = reader(*RULES["where"])
    inside, outside = item("a", 2, "x"), item("a", 0, "x")
    came = read.read([record(1, "a", outside, inside)])[1]
    went = read.read([record(2, "a", inside, outside)])[1]
    stayed = read.read([record(3, "a", outside, item("a", 1, "x"))])[1]
    assert [write.image is None for write in (*came, *went)] == [False, True] and stayed == []


def test_an_item_that_moves_is_deleted_where_it_was_and_put_where_it_is() -> None:
    """In one delivery, the deletion first."""
    read, _ = reader(*RULES["another key"])
    _, writes = read.read([record(1, "a", item("a", 1, "x"), item("a", 1, "y"))])
    assert [(orjson.loads(write.key), write.image is None) for write in writes] == [
        ({"id": {"S": "x#a"}}, True),
        ({"id": {"S": "y#a"}}, False),
    ]
    assert all(write.source and write.source.key == b'{"pk":{"S":"a"}}' for write in writes)


def test_a_key_that_no_table_takes_is_neither_put_nor_deleted() -> None:
    """The destination would refuse the deletion, too: a letter, or a stop, of an item that the
    rules are fine with."""
    records, _ = history([item("a", 1, "x" * 2047), item("a", 1, "x")])
    rules = Rules(set=(("id", "join('#', [kind, pk])"),))
    ruled, aside = reader(rules, {"id": "S"})
    writes = [write for record in records for write in ruled.read([record])[1]]
    assert [write.key for write in writes] == [b'{"id":{"S":"x#a"}}']
    ((refused, _),) = aside.refused
    assert refused.sequence_number == "0"


def test_what_a_rule_fails_for_is_set_aside_as_the_source_made_it() -> None:
    """A key that may move is deleted where it was: it would be left there for good."""
    read, aside = reader(*RULES["another key"])
    broken = {**item("a", 1, "x"), "kind": {"N": "5"}}
    changes, writes = read.read([record(1, "a", item("a", 1, "x"), broken)])
    ((change, answer),) = aside.refused
    assert change is changes[0] and answer.error == "RuleFailed" and "5" not in answer.message
    assert [(write.key, write.image) for write in writes] == [(b'{"id":{"S":"x#a"}}', None)]


FAILS = Rules(where="n >= `0`", set=(("note", "join('#', [kind, note])"),))


def test_an_item_that_stays_where_it_is_is_left_as_it_was_where_a_rule_fails() -> None:
    """Its dead letter brings it up to date; and its deletion deletes what was there before."""
    read, aside = reader(FAILS, KEYS)
    broken = {**item("a", 1, "x"), "kind": {"N": "5"}}
    assert read.read([record(1, "a", item("a", 1, "x"), broken)])[1] == []
    assert len(aside.refused) == 1
    (deleted,) = read.read([record(2, "a", broken, None)])[1]
    assert (deleted.key, deleted.image) == (b'{"pk":{"S":"a"}}', None)


def test_a_rule_that_fails_stops_a_task_that_stops_on_poison() -> None:
    """The task, the record and the rule are named, and no value."""
    transform = Transform(*(RULES["another key"][0], KEYS, RULES["another key"][1]))
    stop = StopOnRefusal(Origin("flat", "orders", "replica", "shard-1"))
    read = RuledReader(transform, stop, Breaker("replica"), keep_expired=False)
    broken = {**item("secret", 1, "x"), "kind": {"N": "5"}}
    with pytest.raises(PoisonError, match="rules of task flat fail for record 7") as raised:
        read.read([record(7, "secret", None, broken)])
    assert "transform.set.id" in raised.value.message and "secret" not in raised.value.message


def test_a_rule_that_fails_for_everything_stops_the_task() -> None:
    """With dead letters, too: everything would be set aside."""
    read, aside = reader(*RULES["another key"])
    broken = {**item("a", 1, "x"), "kind": {"N": "5"}}
    with pytest.raises(PoisonError, match="rules failed for the last 100 changes"):
        read.read([record(n, "a", broken, broken) for n in range(MOST_REFUSALS)])
    assert len(aside.refused) == MOST_REFUSALS


@pytest.mark.parametrize(
    "identity",
    [
        {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
        {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    ],
)
def test_what_time_to_live_deleted_stays_where_told(identity: dict[str, str]) -> None:
    """A deletion by a user goes on deleting; nobody else's words are TTL's."""
    kept, _ = reader(Rules(), KEYS, keep_expired=True)
    applied, _ = reader(Rules(), KEYS)
    expired = record(1, "a", item("a", 1, "x"), None, identity)
    by_user = record(2, "a", item("a", 1, "x"), None, {**identity, next(iter(identity)): "User"})
    assert kept.read([expired])[1] == []
    assert [len(one.read([by_user])[1]) for one in (kept, applied)] == [1, 1]
    assert len(applied.read([expired])[1]) == 1


def test_a_record_without_the_old_image_that_rules_need_stops_the_task() -> None:
    """Nothing is guessed."""
    read, _ = reader(*RULES["where"])
    with pytest.raises(SourceError, match="no old image"):
        read.read([record(1, "a", None, None)])


def test_a_record_that_is_none_of_a_stream_stops_the_task() -> None:
    """It is named by its number, and nothing of it is told."""
    read, aside = reader(*RULES["where"])
    broken = SimpleNamespace(binary_data=b'{"dynamodb": "secret"}', sequence_number="9")
    with pytest.raises(SourceError, match="9") as raised:
        read.read([broken])
    assert "secret" not in raised.value.message and not aside.refused

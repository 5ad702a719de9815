"""Laying beside a daemon: whatever happens between any two calls, both sides come to rest equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from math import inf
from random import Random
from typing import Any

import orjson
import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import PoisonError
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.refusals import Refusals
from kcl_processor.table.laid_reader import lay
from kcl_processor.table.live_laying import FencedCaller, LiveWriter, Origins
from kcl_processor.table.patience import CallTally, Refused
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_copy import StopOnRefusedItem
from kcl_processor.table.table_reader import Item
from kcl_processor.transform.transform import Transform
from tests.fakes import OpenFence
from tests.table import ruled
from tests.table.memory import Calls, Table, image, key


class Killed(BaseException):
    """The copy's process is no more."""


class Serial(Executor):
    """One thing after the other, on the calling thread."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Any:
        return iter([fn(*each) for each in zip(*iterables, strict=True)])


class WatchedCalls(Calls):
    """The destination's writes, between which anything may happen."""

    def __init__(self, destination: Table, keys: tuple[str, ...]) -> None:
        super().__init__(destination, keys)
        self.tally = CallTally()
        self.after: Callable[[], None] = lambda: None
        self.refused: set[bytes] = set()

    def call(self, operation: str, body: bytes, expected: float, doubt: float = 0.0) -> Answer:
        if any(name in body for name in self.refused):
            refused = Refused("never", "mend it")
            refused.answer = Answer(400, "ValidationException", "never")
            raise refused
        answer = super().call(operation, body, expected, doubt)
        self.after()
        return answer


class World:
    """A source, its stream, a daemon that is behind, and a destination.

    Args:
        keys: of the destination.
        happens: chooses what happens next, out of so many.
        things: that may happen in all.
    """

    def __init__(
        self,
        variants: list[list[Item]],
        transform: Transform | None,
        keys: tuple[str, ...],
        happens: Callable[[int], int],
        things: int = 12,
    ) -> None:
        self.variants = variants
        self.transform = transform
        self.source, self.destination = Table({}), Table({})
        self.calls = WatchedCalls(self.destination, keys)
        self.ahead: list[Pair] = []
        self.stream: list[tuple[bytes, Item | None, Item | None]] = []
        self.applied = 0
        self.kills = 3
        self._happens, self._things = happens, things
        self.source.before_get = self.destination.before_get = self.happen
        self.calls.before = self.calls.after = self.happen

    def happen(self) -> None:
        """Some things, or none."""
        while self._things:
            self._things -= 1
            match self._happens(6):
                case 0 | 1:
                    return
                case 2:
                    self.change()
                case 3:
                    self.apply()
                case 4:
                    self.applied = self._happens(self.applied + 1)
                case 5 if self.kills:
                    self.kills -= 1
                    raise Killed

    def change(self) -> None:
        """The source puts a variant of an item, or deletes it."""
        variants = self.variants[self._happens(len(self.variants))]
        which = self._happens(len(variants) + 1)
        name = variants[0].key
        held = self.source.items.pop(name, None)
        before = Item(name, held, name) if held else None
        after = variants[which] if which < len(variants) else None
        if after:
            self.source.items[name] = after.image
        if before != after:
            self.stream.append((name, before, after))

    def apply(self) -> None:
        """The daemon applies the next change."""
        if self.applied == len(self.stream):
            return
        _, before, after = self.stream[self.applied]
        self.applied += 1
        if laid := self.laid(before):
            self.destination.items.pop(laid.key, None)
        if laid := self.laid(after):
            self.destination.items[laid.key] = laid.image

    def laid(self, item: Item | None) -> Item | None:
        """What an item comes to at the destination."""
        if item is None or self.transform is None:
            return item
        laid = lay(self.transform, item.key, item.image)
        return laid if isinstance(laid, Item) else None

    def scan(self) -> list[Change]:
        """What a scan may show: of each item any state that it has had since the copy's begin."""
        shown = []
        for variants in self.variants:
            states = [self.source.items.get(variants[0].key)]
            for name, *change in self.stream:
                if name == variants[0].key:
                    states += [one.image if one else None for one in change]
            state = states[self._happens(len(states))]
            item = self.laid(Item(variants[0].key, state, variants[0].key)) if state else None
            if item:
                source = Change(variants[0].key, state, "0", 0) if self.transform else None
                shown.append(Change(item.key, item.image, "0", 0, source))
        return shown

    def writer(
        self,
        name_ahead: Callable[[list[Pair]], None] = lambda _: None,
        refusals: Refusals | None = None,
        *,
        keeps: bool = False,
    ) -> LiveWriter:
        """What lays the source's items."""
        return LiveWriter(
            Origins(self.source, self.transform),
            self.destination,
            self.calls,
            refusals or ruled.Refused(),
            name_ahead,
            Serial(),
            keeps=keeps,
        )

    def copy(self) -> LiveWriter:
        """A run, to its end."""

        def name_ahead(pairs: list[Pair]) -> None:
            self.happen()
            self.ahead = pairs
            self.happen()

        writer = self.writer(name_ahead)
        writer.look_behind(self.ahead)
        writer.write(self.scan(), OpenFence())
        return writer

    def copy_and_rest(self) -> None:
        """Copy, however often it is killed; then let the daemon catch up."""
        while True:
            try:
                self.copy()
                break
            except Killed:
                continue
        while self.applied < len(self.stream):
            self.apply()


def plain_variants(*names: str) -> list[list[Item]]:
    """Two versions of each item."""
    return [[Item(key(name), image(name, n), key(name)) for n in (1, 2)] for name in names]


def ruled_variants() -> list[list[Item]]:
    """An item that lies at one place or another, or nowhere, by what it holds."""
    items = [ruled.item("a", 1), ruled.item("a", 1, "done"), ruled.item("a", 1, total=0)]
    return [[Item(ruled.key_of(one), _image(one), ruled.key_of(one)) for one in items]]


def _image(item: dict[str, Any]) -> bytes:
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def rests_equal(world: World) -> bool:
    """Whether both sides are equal after whatever happens."""
    world.copy_and_rest()
    laid = [world.laid(Item(name, held, name)) for name, held in world.source.items.items()]
    return world.destination.items == {one.key: one.image for one in laid if one}


def test_what_happens_between_two_calls_leaves_no_difference() -> None:
    """The source changes, the daemon applies or reads again, the copy is killed and goes on."""
    for seed in range(6000):
        world = World(plain_variants("a", "b"[: seed % 2]), None, ("pk",), Random(seed).randrange)
        if seed % 3:
            world.source.items = {key("a"): image("a", 1)}
        assert rests_equal(world), seed


def test_an_item_that_rules_move_is_left_nowhere() -> None:
    """The same under rules by which an item lies at one place or another."""
    rules = ruled.transform(ruled.MOVING)
    for seed in range(2500):
        world = World(ruled_variants(), rules, ("pk",), Random(seed).randrange)
        world.source.items = {one.key: one.image for (one, *_) in world.variants}
        assert rests_equal(world), seed


class Following(World):
    """Items that meet in one key of the destination, of which the source holds one at a time."""

    def change(self) -> None:
        if self.source.items:
            ((name, held),) = self.source.items.items()
            self.source.items.clear()
            self.stream.append((name, Item(name, held, name), None))
            return
        (one,) = self.variants[self._happens(len(self.variants))]
        self.source.items[one.key] = one.image
        self.stream.append((one.key, None, one))

    def scan(self) -> list[Change]:
        # Of a page's items under one key the last is laid.
        return super().scan()[-1:]


def test_an_item_that_follows_another_under_its_key_stays() -> None:
    """By rules under which items may meet: one is gone, and the next one is the daemon's."""
    items = [{"tenant": {"S": "a"}, "id": {"N": str(n)}} for n in (1, 2)]
    first, second = [Item(ruled.key_of(one), _image(one), ruled.key_of(one)) for one in items]
    for seed in range(4000):
        dice = Random(seed).randrange
        world = Following([[first], [second]], ruled.transform(ruled.MET), ("pk",), dice, things=16)
        world.source.items = {first.key: first.image}
        assert rests_equal(world), seed


def still() -> World:
    """A source that holds one item, and a copy between whose calls nothing happens."""
    world = World(plain_variants("a"), None, ("pk",), lambda _: 0, things=0)
    world.source.items = {key("a"): image("a", 1)}
    return world


def test_what_the_daemon_has_written_is_never_written_over() -> None:
    """The scan shows an older state than the destination has."""
    world = still()
    world.destination.items[key("a")] = image("a", 2)
    writer = world.copy()
    assert world.destination.items == {key("a"): image("a", 2)}
    assert (writer.tally.there, writer.tally.written, world.calls.made) == (1, 1, [])


def test_an_item_that_came_back_meanwhile_is_laid_again() -> None:
    """Gone at the look; made anew, as it was, and applied, before it is taken away."""
    world = still()
    gone = world.source.items.pop(key("a"))
    world.destination.items[key("a")] = gone

    def comes_back() -> None:
        world.calls.before = lambda: None
        world.source.items[key("a")] = gone

    world.calls.before = comes_back
    world.ahead = [Pair(key("a"), key("a"))]
    world.copy()
    assert world.calls.made == ["DeleteItem", "PutItem"]
    assert world.destination.items == world.source.items


def test_what_was_named_ahead_and_deleted_is_taken_away_by_the_next_run() -> None:
    """Killed behind the laying: neither the next scan nor the stream knows of it any more."""
    world = still()

    def killed() -> None:
        world.calls.after = lambda: None
        raise Killed

    world.calls.after = killed
    with pytest.raises(Killed):
        world.copy()
    assert world.destination.items and world.ahead
    world.source.items.clear()
    world.copy()
    assert not world.destination.items


def test_what_was_named_ahead_and_is_nowhere_is_laid_whatever_a_scan_shows() -> None:
    """Killed between taking away and the look behind it, over what the daemon had written."""
    world = still()
    world.ahead = [Pair(key("a"), key("a"))]
    world.scan = list  # type: ignore[method-assign]
    world.copy()
    assert world.destination.items == world.source.items


def test_what_was_named_ahead_and_lies_there_costs_no_put() -> None:
    """The source has it behind that: it was looked at, and what is newer is the daemon's."""
    world = still()
    world.destination.items[key("a")] = image("a", 2)
    asked: list[None] = []
    world.calls.before = lambda: asked.append(None)
    world.writer().look_behind([Pair(key("a"), key("a"))])
    assert not asked


def test_an_item_that_is_never_accepted_is_set_aside_or_ends_the_copy() -> None:
    """As a plain copy does; those beside it are laid."""
    world = still()
    world.source.items[key("b")] = image("b")
    world.variants = plain_variants("a", "b")
    world.calls.refused = {b'{"S":"b"}'}
    writer = world.copy()
    assert (writer.tally.written, writer.tally.refused) == (1, 1)
    assert world.destination.items == {key("a"): image("a", 1)}
    stopping = world.writer(refusals=StopOnRefusedItem("orders", "replica"))
    with pytest.raises(PoisonError):
        stopping.write(world.scan(), OpenFence())


def test_where_expired_items_are_kept_an_earlier_runs_are_not_judged() -> None:
    """What the daemon applied and time to live deleted is like what was laid and then deleted."""
    world = still()
    world.destination.items[key("a")] = world.source.items.pop(key("a"))
    world.writer(keeps=True).look_behind([Pair(key("a"), key("a"))])
    assert world.destination.items


def test_what_rules_moved_is_not_kept_for_an_expired_item() -> None:
    """The source has it still: nothing of it has expired, and it lies where it lies now."""
    first, second = ruled.item("a", 1), ruled.item("a", 1, "done")
    name = ruled.key_of(first)
    world = World([], ruled.transform(ruled.MOVING), ("pk",), lambda _: 0, things=0)
    laid = world.laid(Item(name, _image(first), name))
    assert laid is not None
    world.source.items[name] = _image(second)
    world.destination.items[laid.key] = laid.image
    world.writer(keeps=True).look_behind([Pair(laid.key, name)])
    assert laid.key not in world.destination.items


def test_many_keys_are_named_in_pieces_that_a_row_has_room_for() -> None:
    """And each piece rests before the next is named."""
    names = [f"{number:04}" + "x" * 2000 for number in range(200)]
    source = Table({key(name): image(name) for name in names})
    destination = Table({})
    pieces: list[tuple[int, int]] = []
    calls = WatchedCalls(destination, ("pk",))
    with ThreadPoolExecutor(4) as pool:
        writer = LiveWriter(
            Origins(source, None),
            destination,
            calls,
            ruled.Refused(),
            lambda pairs: pieces.append((len(pairs), len(destination.items))),
            pool,
            keeps=False,
        )
        writer.write(
            [Change(name, held, "0", 0) for name, held in source.items.items()], OpenFence()
        )
    assert destination.items == source.items
    assert [done for _, done in pieces] == [
        sum(count for count, _ in pieces[:at]) for at in range(len(pieces))
    ]
    assert max(count for count, _ in pieces) * 4100 < 200_000


def test_a_call_is_bounded_by_what_remains_of_the_fence() -> None:
    """So that nothing lands of a copy whose place another has taken."""
    asked: list[float] = []

    class Wire:
        def call(self, _operation: str, _body: bytes, remaining: Callable[[], float]) -> Answer:
            asked.append(remaining())
            return Answer(200)

    fence = OpenFence()
    FencedCaller(Wire(), fence).call("PutItem", b"")
    assert (fence.held, asked) == (1, [inf])

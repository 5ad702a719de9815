"""A live copy, a daemon and a source as a small machine, and all it can do.

One item of the source, with up to three values: two of them lie under one key of the destination,
and the third, as rules may have it, under another. Every step of the source, of the daemon and of
the copies may come between any two others. A copy may be killed, or be paused and wake again, at
any step; another goes on in its place. What a scan shows may be any value that the item has ever
had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

# Values of the item; 0 is none. A and B are laid under key 0, C under key 1.
NONE, A, B, C = range(4)
_KEY = {A: 0, B: 0, C: 1}

Held = tuple[int, int]


@dataclass(frozen=True)
class Mends:
    """What a copy does beyond laying only where nothing is. Each can be left out.

    Attributes:
        looks: after the laying it looks at the source, and takes away what is gone there.
        looks_again: and again after that, until it rests.
        writes_ahead: what is to be laid is named first, and looked at by whoever goes on.
        lays_ahead: and what is there at the source by then is laid, whatever a scan shows.
        fenced: nothing lands of a copy in whose place another has come.
        placed: the daemon's position is from before the copy's begin.
    """

    looks: bool = True
    looks_again: bool = True
    writes_ahead: bool = True
    lays_ahead: bool = True
    fenced: bool = True
    placed: bool = True


@dataclass(frozen=True)
class Copy:
    """One run: its next step, and what it has seen.

    Attributes:
        value: what it lays.
        under: the key of the destination that it is at.
        there: what it takes away, if that is there still.
        scans: whether the scan is still to come when this rests.
    """

    step: str
    value: int = NONE
    under: int = 0
    there: int = NONE
    scans: bool = False


@dataclass(frozen=True)
class World:
    """Everything there is.

    Attributes:
        told: the item's values in the stream, each with the one before it.
        applied: how many of them the daemon has applied; ``None`` before it has a position.
        left: changes, rewinds of the daemon, and ends of copies that may still come.
        ahead: the key that was named ahead.
    """

    source: int
    told: tuple[tuple[int, int], ...]
    applied: int | None
    held: Held
    copies: tuple[Copy, ...]
    left: tuple[int, int, int]
    ahead: int | None = None
    done: bool = False

    @property
    def rests(self) -> bool:
        """Whether nothing has to happen any more."""
        return self.done and not self.copies and self.applied == len(self.told)

    @property
    def is_equal(self) -> bool:
        """Whether the destination is like the source."""
        return self.held == _put((NONE, NONE), self.source)


def first_unequal(
    mends: Mends, changes: int = 3, rewinds: int = 1, ends: int = 2
) -> tuple[World, int]:
    """Search all that can happen for a rest in which both sides differ.

    Returns:
        that world, or the last one of the search if there is none; and how many were looked at.
    """
    place = 0 if mends.placed else None
    starts = [
        World(value, (), place, (NONE, NONE), (Copy("look ahead"),), left=(changes, rewinds, ends))
        for value in (NONE, A)
    ]
    seen, queue = set(starts), deque(starts)
    world = starts[0]
    while queue:
        world = queue.popleft()
        if world.rests and not world.is_equal:
            break
        for later in _next(world, mends):
            if later not in seen:
                seen.add(later)
                queue.append(later)
    return world, len(seen)


def _next(world: World, mends: Mends) -> Iterator[World]:
    yield from _changed(world)
    yield from _applied(world)
    for at, copy in enumerate(world.copies):
        others = world.copies[:at] + world.copies[at + 1 :]
        for after, then in _stepped(world, copy, mends):
            yield replace(after, copies=others[:at] + then + others[at:])
    yield from _ended(world, mends)


def _changed(world: World) -> Iterator[World]:
    changes, rewinds, ends = world.left
    if changes:
        for value in {NONE, A, B, C} - {world.source}:
            told = (*world.told, (world.source, value))
            yield replace(world, source=value, told=told, left=(changes - 1, rewinds, ends))


def _applied(world: World) -> Iterator[World]:
    changes, rewinds, ends = world.left
    if world.applied is None:
        # LATEST becomes a position when the daemon first asks for it.
        yield replace(world, applied=len(world.told))
        return
    if world.applied < len(world.told):
        old, new = world.told[world.applied]
        held = _without(world.held, _KEY[old]) if old else world.held
        yield replace(world, applied=world.applied + 1, held=_put(held, new))
    if rewinds:
        for earlier in range(world.applied):
            yield replace(world, applied=earlier, left=(changes, rewinds - 1, ends))


def _ended(world: World, mends: Mends) -> Iterator[World]:
    """The copy at work, the last one, is killed or paused, and another takes its place."""
    changes, rewinds, ends = world.left
    if ends and world.copies and not world.done:
        left = (changes, rewinds, ends - 1)
        others = world.copies[:-1] if mends.fenced else world.copies
        yield replace(world, copies=(*world.copies[:-1], Copy("look ahead")), left=left)
        yield replace(world, copies=(*others, Copy("look ahead")), left=left)


def _stepped(world: World, copy: Copy, mends: Mends) -> Iterator[tuple[World, tuple[Copy, ...]]]:
    """Each way in which a copy's next step may go: what comes of it, and the copy after it."""
    at, under = copy.step, copy.under
    if at == "look ahead":
        if world.ahead is None:
            yield world, (Copy("scan"),)
        else:
            there = world.held[world.ahead]
            yield world, (Copy("judge ahead", under=world.ahead, there=there, scans=True),)
    elif at == "judge ahead":
        lays = mends.lays_ahead and not copy.there
        yield from _judged(world, copy, "lay" if lays else "rest")
    elif at == "scan":
        for value in {world.source, *(one for change in world.told for one in change)}:
            if value == NONE:
                yield replace(world, done=True), ()
            else:
                yield world, (Copy("name", value, _KEY[value]),)
    elif at == "name":
        ahead = under if mends.writes_ahead else None
        yield replace(world, ahead=ahead), (replace(copy, step="lay"),)
    elif at == "lay":
        held = world.held if world.held[under] else _put(world.held, copy.value)
        rest = replace(copy, step="look" if mends.looks else "rest", there=copy.value)
        yield replace(world, held=held), (rest,)
    elif at == "look":
        yield from _judged(world, copy, "rest")
    elif at == "take away":
        same = world.held[under] == copy.there
        held = _without(world.held, under) if same else world.held
        again = "look again" if mends.looks_again else "rest"
        yield replace(world, held=held), (replace(copy, step=again),)
    elif at == "look again":
        if _lies(world.source, under):
            yield world, (replace(copy, step="lay", value=world.source),)
        else:
            yield world, (replace(copy, step="rest"),)
    elif at == "rest":
        after = replace(world, ahead=None)
        yield (after, (Copy("scan"),)) if copy.scans else (replace(after, done=True), ())


def _judged(world: World, copy: Copy, stays: str) -> Iterator[tuple[World, tuple[Copy, ...]]]:
    """A strong look at the source: what is gone there is taken away."""
    if _lies(world.source, copy.under):
        yield world, (replace(copy, step=stays, value=world.source),)
    else:
        yield world, (replace(copy, step="take away" if copy.there else "rest"),)


def _lies(value: int, under: int) -> bool:
    return value != NONE and _KEY[value] == under


def _put(held: Held, value: int) -> Held:
    if value == NONE:
        return held
    return (value, held[1]) if _KEY[value] == 0 else (held[0], value)


def _without(held: Held, key: int) -> Held:
    return (NONE, held[1]) if key == 0 else (held[0], NONE)

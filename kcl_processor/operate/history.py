"""What happened to a task: what its workers told of it, and what this host knows besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import MEANINGS, OperatorError
from kcl_processor.fleet.events import Event, note, read_events
from kcl_processor.operate.endings import last_endings
from kcl_processor.state.ending import Ending, read_ending

# The words of a worker's end: the last of these is told when it ended.
_ENDS = ("stopped", "refused", "failed")
# Between a worker's end in its file and the same in the table.
_SAME = 15.0
# Seconds between two looks of who follows.
LOOKS = 2.0


def history(files: TaskFiles) -> list[Event]:
    """A task's events, the oldest first, with the ends of this host's workers that told nobody.

    Raises:
        OperatorError, PermissionDenied: the events cannot be read.
    """
    return with_ends(files, read_events(files.task))


def with_ends(files: TaskFiles, told: Sequence[Event]) -> list[Event]:
    """As :func:`history`, of events that were read already."""
    untold = [_died(end) for end in last_endings(files) if not _is_told(end, told)]
    return sorted([*told, *untold], key=lambda event: event.at)


def followed(look: Callable[[], list[Event]], wait: Callable[[float], None]) -> Iterator[Event]:
    """Events as they come, for ever; first those that are there.

    What a worker tells arrives within seconds, so one may come behind a younger one of another's.
    """
    seen = set[Event]()
    while True:
        found = look()
        yield from (event for event in found if event not in seen)
        seen = set(found)
        wait(LOOKS)


def keep_death(files: TaskFiles) -> None:
    """Keep that a worker died, which told nothing and is about to be started again: behind that its
    host does not know it any more. What cannot be kept holds no start up."""
    end = read_ending(files)
    if end and end.code is None:
        died = _died(end)
        with suppress(OperatorError):
            note(files.task, died.at, died.what, None, died.why or "", died.teller)


def in_words(event: Event) -> str:
    """All of an event but its moment and its teller, in one line."""
    shard = f"shard {event.shard}" if event.shard else ""
    if event.what == "moved":
        shard += f" from {event.origin or 'nobody'} to {event.to or 'nobody'}"
    # A record processor names its shard itself.
    why = (event.why or "").removeprefix(f"{event.shard} ")
    return ": ".join(part for part in (shard, why) if part)


def _died(end: Ending) -> Event:
    if end.code is None:
        why = (
            "without a word: it was killed, or stopped as it began, ran out of memory, or its host"
        )
        return Event(end.at, end.worker, "died", why=f"{why} went down")
    meaning = MEANINGS.get(end.code, "an exit code that means nothing here")
    reason = f": {end.reason}" if end.reason else ""
    return Event(end.at, end.worker, "stopped", why=f"exit code {end.code}, {meaning}{reason}")


def _is_told(end: Ending, told: Sequence[Event]) -> bool:
    return any(
        event.teller == end.worker and event.what in _ENDS and abs(event.at - end.at) < _SAME
        for event in told
    )

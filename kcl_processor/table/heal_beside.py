"""A task's gaps healed beside its daemon, as they are noted on this host (`on_gap: heal`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NoReturn

from kcl_processor.clock import Clock, Spaced
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.pause import LOOKS, read_pauses
from kcl_processor.fleet.stream import HOUR
from kcl_processor.state.gaps import Gap, open_gaps
from kcl_processor.table.heal import Healing
from kcl_processor.table.held_row import PartTaken
from kcl_processor.table.pace import Halt

# Seconds between two looks at what is noted.
_LOOK = 5.0
# Seconds until another process may have healed, and until what failed is tried again.
_OTHERS = 60.0
_AGAIN = 1800.0
# What stays open is tried again for as long as AWS makes no other exports for it (eight hours).
_PAID = 7 * HOUR
# So many exports of one span may fail within those hours; then the next ones are waited for.
ATTEMPTS = 3
# So many sets of exports are asked for within so long. A shard that is slower for days than what
# the stream keeps notes gap after gap, and each set is of all that was written in the last day.
_MOST, _WITHIN = 8, 8 * HOUR
_PACED = (
    f"Gaps were healed {_MOST} times within {_WITHIN / HOUR:.0f} h: what is noted from now on "
    "waits for the next hours, for each time takes exports of its own"
)


class Paused(OperatorError):
    """The task, or a shard of it, is paused: nothing is to be let out to the destination."""


class UnlessPaused(Halt):
    """A halt that is set when another is, and whose waits end while the task is paused.

    Safe to use from many threads: it looks every few seconds.
    """

    def __init__(self, outer: Halt, task: Task, clock: Clock) -> None:
        super().__init__()
        self._outer = outer
        self._task = task
        self._look = Spaced(self._refuse_paused, LOOKS, clock)

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            Halted: the other one was set.
            Paused: somebody has paused the task, or a shard: keys of all shards are healed.
            OperatorError: whether it is paused cannot be read.
        """
        self._outer.wait(seconds)
        self._look()

    def _refuse_paused(self) -> None:
        if pauses := read_pauses(self._task):
            raise Paused(f"Task {self._task.name} is {pauses[0]}.", "resume it")


def heal_beside(
    files: TaskFiles,
    heal: Callable[[], list[Healing]],
    mend: str,
    tell: Callable[[str], None],
    halt: Halt,
    clock: Clock,
) -> NoReturn:
    """Heal for as long as the daemon runs. A gap that cannot be healed stays noted, and is told.

    Args:
        heal: heals the gaps that are open, as :func:`run_heal` does.
        mend: what to type for a gap that no export heals.
        tell: takes a line on how it goes.

    Raises:
        Halted: ``halt`` was set.
    """
    left: list[Gap] = []
    asked: deque[float] = deque(maxlen=_MOST)
    again_at = until = 0.0
    while True:
        pause = _LOOK
        try:
            found = open_gaps(files.gaps)
            is_new = found != left
            if is_new:
                again_at = _free_at(asked, clock.elapsed())
                until = again_at + _PAID
            if found and again_at <= clock.elapsed() < until:
                healings = heal()
                for healing in healings:
                    tell(_said(healing, mend))
                # What was noted meanwhile is not among them, and is healed at the next look.
                left = [healing.gap for healing in healings if healing.open is not None]
                again_at = clock.elapsed() + _AGAIN
                if any(healing.export_failed for healing in healings):
                    # The cause may be mended on any day, and what fails is asked for rarely enough.
                    until = again_at + _PAID
                if is_new and any(map(_took_exports, healings)):
                    asked.append(clock.elapsed())
                    if _free_at(asked, clock.elapsed()) > clock.elapsed():
                        tell(f"{_PACED}. Try: {mend}")
        except (PartTaken, Paused):
            pause = _OTHERS
        except OperatorError as error:
            tell(f"No gap is healed: {error.message} Try: {error.hint}")
            pause = _AGAIN
        halt.wait(pause)


def _free_at(asked: deque[float], now: float) -> float:
    """When the next set of exports may be asked for, by when the last ones were."""
    return max(now, asked[0] + _WITHIN) if len(asked) == _MOST else now


def _took_exports(healing: Healing) -> bool:
    return bool(healing.outcomes) or healing.open is None or healing.export_failed


def _said(healing: Healing, mend: str) -> str:
    gap = healing.gap
    of = f"shard {gap.shard}" if gap.shard else f"the stream {gap.checkpoint}"
    if healing.open is None:
        return f"The gap of {of} is healed: {sum(healing.outcomes.values())} keys were looked at."
    return f"The gap of {of} is open still: {healing.open}. Try: {mend}"

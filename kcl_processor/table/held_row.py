"""How far one part of some work is, in a row beside KCL's own state: any host goes on from there.

Whoever is at work on a part holds its row: he writes it every few seconds, each time as he wrote it
last. So who wants to go on with a part that has an owner watches the row for longer than that: when
it stands still, its owner is dead, or finds at his next writing that the row is another's.
"""

from __future__ import annotations

import platform
import uuid
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.fleet.running import looks
from kcl_processor.launch.copy_mark import BEAT, DEAD


class PartTaken(OperatorError):
    """Another process is at work on this part."""

    exit_code = ExitCode.CONFIG


class Overtaken(OperatorError):
    """Another process has gone on with what this one had read: it is to be read again."""


class Progress(Protocol):
    """How far a part is.

    Attributes:
        token: tells the work that it is a part of from the task's others.
        finished_at: seconds since the epoch; ``None`` while something is left.
    """

    token: str
    finished_at: float | None


P = TypeVar("P", bound=Progress)


@dataclass(frozen=True)
class Words:
    """What a part is called.

    Attributes:
        part: as in a sentence's beginning.
        doing: what is being done to it.
        goes_on, look: what to type to go on with it, and to see how far it is.
    """

    part: str
    doing: str
    goes_on: str
    look: str


class HeldRow(ABC, Generic[P]):
    """The row of one part.

    Args:
        key: the row's.
        wait: waits for some seconds.
    """

    def __init__(
        self, task: Task, key: str, words: Words, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        self._task = task
        self._key = key
        self._words = words
        self._clock = clock
        self._wait = wait
        self._row: Row | None = None
        self._is_read = False
        self._owner = ""
        self._written_at = -BEAT

    @abstractmethod
    def encode(self, progress: P) -> bytes:
        """The progress as bytes."""

    @abstractmethod
    def decode(self, row: Row | None) -> P | None:
        """The progress in a row, if there is one.

        Raises:
            ConfigError: it cannot be understood.
        """

    def load(self) -> P | None:
        """Read how far the part is; ``None`` when it never began.

        Raises:
            OperatorError, PermissionDenied: it cannot be read.
        """
        self._row, self._is_read = read_own(self._task, self._key), True
        return self.decode(self._row)

    def take(self, progress: P) -> None:
        """Hold the row from now on.

        Raises:
            PartTaken: another process writes it, or has since it was read.
            Overtaken: another process wrote it since it was read, and has let go of it.
            OperatorError, PermissionDenied: it cannot be read or written.
        """
        before, self._row = self._row, read_own(self._task, self._key)
        if self._is_read and self._row != before:
            raise self._moved(self._row)
        if owner_of(self._row):
            self._await_stillness(progress.token)
        elif not self._is_read and token_of(self._row) == progress.token:
            raise self._moved(self._row)
        self._owner = uuid.uuid4().hex
        self.write(progress)

    def save(self, progress: P) -> None:
        """Write how far the part is, if it is time: a kill makes the next run repeat the rest.

        Raises:
            As :meth:`write` does.
        """
        due = self.seconds_since_written() >= BEAT
        if due or progress.finished_at is not None:
            self.write(progress)

    def seconds_since_written(self) -> float:
        """How long ago the row was written."""
        return self._clock.elapsed() - self._written_at

    def write(self, progress: P) -> None:
        """Write how far the part is.

        Raises:
            PartTaken: another process holds the row.
            OperatorError, PermissionDenied: it cannot be written.
        """
        now = self._clock.elapsed()
        row: Row = {
            "token": {"S": progress.token},
            "owner": {"S": self._owner},
            "host": {"S": platform.node()},
            "beatAt": {"N": repr(self._clock.now())},
            "finished": {"BOOL": progress.finished_at is not None},
            "progress": {"B": zlib.compress(self.encode(progress))},
        }
        if not replace_own(self._task, self._key, self._row, row):
            found = read_own(self._task, self._key)
            # A writing that failed may have come there, though its answer was lost.
            ours = self._owner and owner_of(found) == self._owner
            if not (ours and replace_own(self._task, self._key, found, row)):
                raise self._taken(found)
        self._row, self._written_at = row, now

    def release(self, progress: P) -> None:
        """Let another process go on at once; if this fails, what was written last stays."""
        if not self._owner:
            return
        self._owner = ""
        with suppress(OperatorError):
            self.write(progress)

    def _await_stillness(self, token: str) -> None:
        before = self._row
        for _ in looks(DEAD, self._clock, self._wait):
            self._row = read_own(self._task, self._key)
            if self._row == before:
                continue
            # Its owner has got further than was read, unless that is of no use any more.
            if owner_of(self._row) or self._is_read or token_of(self._row) == token:
                raise self._moved(self._row)
            return

    def _moved(self, row: Row | None) -> OperatorError:
        if owner_of(row):
            return self._taken(row)
        return Overtaken(
            f"{self._words.part} was gone on with by another process just now.",
            f"{self._words.goes_on} goes on from there",
        )

    def _taken(self, row: Row | None) -> PartTaken:
        host = row["host"]["S"] if row else "another host"
        return PartTaken(
            f"{self._words.part} is being {self._words.doing} on {host}.", self._words.look
        )


def is_at_work(row: Row | None, now: float) -> bool:
    """Whether a process holds a row, on whatever host: it has written it lately.

    Args:
        now: this host's time, seconds since the epoch.
    """
    return bool(row and owner_of(row) and now - float(row["beatAt"]["N"]) < DEAD)


def owner_of(row: Row | None) -> str:
    """Who holds a row; empty if nobody does."""
    return str(row["owner"]["S"]) if row else ""


def token_of(row: Row | None) -> str:
    """What a row's part belongs to."""
    return str(row["token"]["S"]) if row else ""

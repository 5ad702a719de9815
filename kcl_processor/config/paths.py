"""Where a task keeps its files on this host. Every name is made here and nowhere else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kcl_processor.config.task import Task, of_worker

RENDERED = ".properties"
_LETTERS = "dead-letters.jsonl"


def state_directory(given: str | None) -> Path:
    """The folder for what must outlive a daemon on this host: dead letters, gaps, copy progress.

    In this order: as given, ``KCL_PROCESSOR_STATE``, systemd's ``STATE_DIRECTORY``, the XDG one.
    """
    environment = os.environ
    base = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    chosen = (
        given
        or environment.get("KCL_PROCESSOR_STATE")
        or environment.get("STATE_DIRECTORY")
        or Path(base) / "kcl-processor"
    )
    return Path(chosen).absolute()


def is_queue(place: str) -> bool:
    """Whether ``dead_letters`` of a task names an SQS queue, by URL or ARN."""
    return place.startswith(("http://", "https://", "arn:"))


def queue_of(task: Task) -> str | None:
    """The SQS queue that a task's dead letters go to, by URL or ARN, if they go to one."""
    given = task.dead_letters
    return given if given and is_queue(given) else None


def checked_jars(state: Path) -> Path:
    """Which jars the host's daemons were last started with, that is checked. No task's."""
    return state / "checked-jars"


@dataclass(frozen=True)
class TaskFiles:
    """The files of one task. What its processes on a host write beside each other lies in a folder
    for each worker.

    Args:
        state: :func:`state_directory`.
    """

    task: Task
    state: Path

    @property
    def owner(self) -> Path:
        """Which of the tasks of this name the files belong to."""
        return self._named("owner.json")

    @property
    def workers(self) -> Path:
        """A folder for each worker of the task that ever ran on this host, by its id."""
        return self._named("workers")

    @property
    def worker(self) -> Path:
        """The folder of the task's own worker: what its starts were rendered into, and more."""
        return self.workers / self.task.kcl.worker_id

    @property
    def heartbeats(self) -> Path:
        """The folder in which the worker's record processors leave their figures."""
        return self.worker / "shards"

    @property
    def lock(self) -> Path:
        """What the worker's processes on this host hold while they live."""
        return self.worker / "lock"

    @property
    def ending(self) -> Path:
        """How the worker's last daemon ended."""
        return self.worker / "ending.json"

    def every_worker(self) -> list[TaskFiles]:
        """The files of each worker of the task that ever ran on this host."""
        return [
            TaskFiles(of_worker(self.task, folder.name), self.state)
            for folder in sorted(self.workers.glob("*"))
        ]

    def renderings(self) -> list[Path]:
        """What the worker's starts were rendered into: a name a start, each written once."""
        return sorted(self.worker.glob(f"*{RENDERED}"))

    def every_heartbeats(self) -> list[Path]:
        """Those folders of every worker on this host."""
        return sorted(self.workers.glob("*/shards"))

    @property
    def dead_letters(self) -> str:
        """Where refused changes go: a file, or the URL or ARN of a queue."""
        return queue_of(self.task) or str(self.letter_file)

    @property
    def letter_file(self) -> Path:
        """Where refused changes go on this host, unless they go to a queue.

        A relative name is one in the state directory: who asks stands elsewhere than the daemon.
        """
        given = self.task.dead_letters
        return self.state / given if given and not is_queue(given) else self._named(_LETTERS)

    @property
    def gaps(self) -> Path:
        """Where gaps that were passed are written down."""
        return self._named("gaps.jsonl")

    @property
    def copy_progress(self) -> Path:
        """How far the copy is."""
        return self._named("copy.json")

    @property
    def certificate(self) -> Path:
        """What the switchover proved."""
        return self._named("switchover.json")

    @property
    def lag_history(self) -> Path:
        """How far behind the task was over the last day, as the exporter saw it."""
        return self._named("lag.jsonl")

    @property
    def starts(self) -> Path:
        """How often a supervisor started the worker of late."""
        return self.worker / "starts.json"

    def saved_leases(self, now: float) -> Path:
        """Where a reset of leases saves the rows."""
        return self._named(f"leases-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}.json")

    def every_saved_leases(self) -> Iterator[Path]:
        """Those that are there."""
        return self.state.glob(self._named("leases-????????T??????Z.json").name)

    def existing(self) -> Iterator[tuple[Path, str]]:
        """Each file that is there, with what it holds, in the order of their names."""
        halves = (
            half
            for whole in (self.owner, self.copy_progress, self.certificate, self.lag_history)
            for half in self.state.glob(half_written(whole, "[0-9]*").name)
            if half.suffix[1:].isdigit()
        )
        earlier = map(self._named, ("properties", "shards", "starts.json"))
        holds = {
            self.owner: "which task of this name these belong to",
            self.workers: "settings and figures of each worker",
            **dict.fromkeys(earlier, "left by an earlier version"),
            self.letter_file: "changes that were set aside",
            settled(self.letter_file): "which of those are settled",
            self.gaps: "gaps that were passed",
            settled(self.gaps): "which of those are healed",
            self.copy_progress: "how far the copy is",
            self.certificate: "what the switchover proved",
            self.lag_history: "how far behind it was, for the exporter's page",
            **dict.fromkeys(self.every_saved_leases(), "rows that a reset saved"),
            **dict.fromkeys(halves, "left by a process that was killed"),
        }
        yield from ((path, what) for path, what in sorted(holds.items()) if path.exists())

    def _named(self, suffix: str) -> Path:
        return _file(self.state, self.task.name, suffix)


def letters_beside(gaps: Path, task: str) -> Path:
    """Where a task's refused changes go on this host, found by the file of its gaps."""
    return _file(gaps.parent, task, _LETTERS)


def half_written(whole: Path, process: int | str) -> Path:
    """What a process that is killed as it replaces a file leaves beside it, or a glob of those."""
    return whole.with_name(f"{whole.name}.{process}")


def settled(notes: Path) -> Path:
    """The file beside a file of notes that says which of them are settled."""
    return notes.with_name(notes.name + ".settled")


def _file(state: Path, task: str, suffix: str) -> Path:
    return state / f"{task}.{suffix}"

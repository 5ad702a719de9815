"""How the workers of this host ended that do not run any more, in words."""

from __future__ import annotations

from collections.abc import Sequence

from kcl_processor.clock import utc
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import MEANINGS, ExitCode
from kcl_processor.launch.daemon import running_workers
from kcl_processor.state.ending import Ending, read_ending

# Seconds for which a worker's failure is worth a line beside another that runs.
_FRESH = 86_400.0


def last_endings(files: TaskFiles) -> list[Ending]:
    """Of each worker that has run on this host and does not run now, the last one first."""
    running = running_workers(files)
    ended = (
        read_ending(each) for each in files.every_worker() if each.task.kcl.worker_id not in running
    )
    return sorted((end for end in ended if end), key=lambda end: end.at, reverse=True)


def worth_telling(endings: Sequence[Ending], now: float, *, running: bool) -> list[Ending]:
    """Those that an operator should read: how the last worker ended, and failures of the last day.

    Args:
        running: whether another worker of the task runs.
    """
    return [
        end
        for at, end in enumerate(endings)
        if (at == 0 and not running) or (end.code != ExitCode.OK and now - end.at < _FRESH)
    ]


def words(task: str, end: Ending) -> str:
    """An end in one line, with what to type next."""
    moment = utc(end.at)
    hint = end.hint or f"kcl-processor run --workerId {end.worker} {task}"
    if end.code is None:
        return (
            f"worker {end.worker}, last alive here at {moment}, ended without a word: it was "
            "killed, or stopped as it began, ran out of memory, or its host went down. "
            f"Try: the kernel's log (dmesg), then {hint}"
        )
    meaning = MEANINGS.get(end.code, "an exit code that means nothing here")
    reason = f": {end.reason}" if end.reason else "."
    return (
        f"worker {end.worker} ended here at {moment} with {end.code}, {meaning}{reason} Try: {hint}"
    )

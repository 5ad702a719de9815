"""How a worker on this host ended, in a file of the worker's.

The launcher writes it as it ends (``Ending.java``), and this module where a start fails before
there is a launcher, in one form: ``at``, seconds since the epoch, ``code``, and ``reason``, which
may be ``null``. Who is killed writes nothing: then the last start is younger than the last end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.state.durable import replace_file

_ADVICE = " Try: "


@dataclass(frozen=True)
class Ending:
    """How a worker ended.

    Attributes:
        at: seconds since the epoch; of one that told nothing, its last sign of life.
        code: the exit code; ``None`` of one that told nothing.
        reason: what failed, if that was told.
        hint: what to type next, if that was told.
    """

    worker: str
    at: float
    code: int | None = None
    reason: str | None = None
    hint: str | None = None


def read_ending(files: TaskFiles) -> Ending | None:
    """How the worker of some files, which does not run, ended; ``None`` if it never started."""
    worker, noted = files.task.kcl.worker_id, _read(files.ending)
    started = max(map(_written, files.renderings()), default=0.0)
    if started and (noted is None or noted[0] < started):
        return Ending(worker, max(started, _written(files.heartbeats)))
    if noted is None:
        return None
    at, code, reason = noted
    said, _, hint = (reason or "").partition(_ADVICE)
    return Ending(worker, at, code, said or None, hint or None)


@contextmanager
def noting_failure(files: TaskFiles, clock: Clock) -> Iterator[None]:
    """Note how a start fails in this block, and let it fail."""
    try:
        yield
    except OperatorError as error:
        _note(files.ending, clock, error.exit_code, f"{error.message}{_ADVICE}{error.hint}")
        raise
    except Exception as error:
        _note(files.ending, clock, ExitCode.BUG, repr(error))
        raise


def _note(path: Path, clock: Clock, code: int, reason: str) -> None:
    noted = {"at": clock.now(), "code": int(code), "reason": reason}
    # The failure itself is on its way to stderr, and counts more than the note of it.
    with suppress(OSError):
        replace_file(path, json.dumps(noted).encode())


def _read(path: Path) -> tuple[float, int, str | None] | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        at, code, reason = float(noted["at"]), int(noted["code"]), noted["reason"]
        datetime.fromtimestamp(at, UTC)
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return at, code, reason if isinstance(reason, str) else None


def _written(path: Path) -> float:
    """When a file was written, or a file of a folder was replaced or removed."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0

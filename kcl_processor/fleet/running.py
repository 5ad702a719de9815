"""Whether a task's daemon is alive anywhere, told by KCL's tables: a living worker writes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.fleet.coordinator import failover_seconds, is_of_lease, pulses_of, reporting
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import KclRows, read_rows

# The original library set KCL 1.x to a failover of 60 s, so its workers renew every 20 s, and KCL
# 1.x has no other sign of life.
_OLD_KCL_PATIENCE = 25.0
_POLL = 1.0

Signs = dict[str, object]


class StillRunning(OperatorError):
    """The daemon is alive where it must not be; nothing was touched."""

    exit_code = ExitCode.CONFIG


def signs_of_life(task: Task) -> Signs:
    """What a living worker moves, by name; empty before a task's first start.

    Raises:
        OperatorError: KCL's tables cannot be read.
        PermissionDenied: a call is denied.
    """
    return dict(pulses_of(_rows(task)))


def digest(signs: Signs) -> str:
    """A text that is the same as long as no daemon has come alive."""
    return hashlib.sha256(repr(sorted(signs.items())).encode()).hexdigest()


def refuse_running(task: Task, clock: Clock, wait: Callable[[float], None]) -> Signs:
    """Watch for as long as KCL gives a worker before it counts as dead.

    A worker renews its leases three times in that time, and reports besides.

    Returns:
        what was seen, for :func:`refuse_moved`.

    Raises:
        StillRunning: something moved.
    """
    rows = _rows(task)
    before = dict(pulses_of(rows))
    if not before:
        return before
    patience = failover_seconds(task) if reporting(rows) else _OLD_KCL_PATIENCE
    for later in watched(task, patience + _POLL, clock, wait):
        _refuse_moved(task, before, dict(pulses_of(later)))
    return before


def watched(
    task: Task, seconds: float, clock: Clock, wait: Callable[[float], None]
) -> Iterator[KclRows]:
    """KCL's rows, read once a second for so many seconds."""
    for _ in looks(seconds, clock, wait):
        yield _rows(task)


def looks(seconds: float, clock: Clock, wait: Callable[[float], None]) -> Iterator[None]:
    """Moments to look at what somebody alive moves, once a second for so many seconds."""
    deadline = clock.elapsed() + seconds
    while clock.elapsed() < deadline:
        wait(_POLL)
        yield


def refuse_moved(task: Task, before: Signs, *, leases_may_go: bool = False) -> None:
    """Compare with what was seen earlier.

    Args:
        leases_may_go: they are being set aside, and a living worker moves more than those.

    Raises:
        StillRunning: something moved.
    """
    after = signs_of_life(task)
    if leases_may_go:
        before = {name: at for name, at in before.items() if name in after or not is_of_lease(name)}
    _refuse_moved(task, before, after)


def _refuse_moved(task: Task, before: Signs, after: Signs) -> None:
    moved = sorted(name for name in after.keys() | before if after.get(name) != before.get(name))
    if moved:
        raise StillRunning(
            f"Task {task.name} is running: {', '.join(moved[:3])} moved while watched.",
            "stop the daemon on every host first, then try again",
        )


def has_leases(task: Task) -> bool:
    """Whether a daemon of this task was ever started: its shards have leases."""
    return bool(_rows(task).leases)


def _rows(task: Task) -> KclRows:
    return read_rows(clients.checkpoints(task), table_names(task))

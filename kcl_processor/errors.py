"""Every error that reaches an operator, and the exit code it ends a process with.

An operator reads three things: what failed, where, and what to type next. The first two are the
message; the third is ``hint``, printed as ``Try: …``.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What an exit code of any command, daemon or record processor means.

    A supervisor restarts on ``CRASH`` and ``BUG``; on the others a person must act first, and a
    restart would only repeat the failure.
    """

    OK = 0
    CRASH = 1
    CONFIG = 2
    NOT_RUNNING = 3
    UNKNOWN = 4
    PERMISSION = 5
    SOURCE = 6
    DESTINATION = 7
    POISON = 8
    GAP = 9
    WRITTEN = 10
    BUG = 70


# What the exit code of a daemon says; the table in operate's README has the same words. No daemon
# ends with ``NOT_RUNNING`` and ``UNKNOWN``, which are of ``status``, nor with ``WRITTEN``, of
# ``switchover``.
MEANINGS: Mapping[int, str] = {
    ExitCode.OK: "stopped as asked",
    ExitCode.CRASH: "crashed, or a child was killed",
    ExitCode.CONFIG: "the command line or configuration is wrong, or a daemon of this worker "
    "id was there first",
    ExitCode.PERMISSION: "an action or the credentials are denied",
    ExitCode.SOURCE: "the source or its stream cannot be read",
    ExitCode.DESTINATION: "the destination is gone, its keys are not the source's, or it refuses "
    "every change",
    ExitCode.POISON: "the destination never accepts an item",
    ExitCode.GAP: "changes left the stream before they were read",
    ExitCode.BUG: "an error of ours",
}


class OperatorError(Exception):
    """A failure that a person can act on.

    Args:
        message: what failed, with the table, shard or file and the value.
        hint: the next thing to type or to change.
    """

    exit_code = ExitCode.CRASH

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """What a process tells another of an error is the whole of it."""
        return type(self), (self.message, self.hint), self.__dict__


class ConfigError(OperatorError):
    """The configuration or the command line cannot be used; nothing was touched."""

    exit_code = ExitCode.CONFIG


def is_full(error: OSError) -> bool:
    """Whether a disk, or somebody's share of it, had no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def of_disk(error: OSError, message: str, hint: str) -> OperatorError:
    """The error for what cannot be made on a disk. A full one passes, and a supervisor's next start
    may find room; all else is a matter of configuration."""
    if is_full(error):
        return OperatorError(message, "make room there")
    return ConfigError(message, hint)


class PermissionDenied(OperatorError):
    """AWS refused an action, or the credentials themselves."""

    exit_code = ExitCode.PERMISSION


class SourceError(OperatorError):
    """The source table or its stream cannot be replicated from."""

    exit_code = ExitCode.SOURCE


class DestinationError(OperatorError):
    """The destination table cannot take the changes of this source."""

    exit_code = ExitCode.DESTINATION


class PoisonError(OperatorError):
    """The destination refuses one item and always will."""

    exit_code = ExitCode.POISON


class GapError(OperatorError):
    """Changes left the stream before they were read: they can no longer be replicated."""

    exit_code = ExitCode.GAP


class StillWritten(OperatorError):
    """Somebody writes to a source whose writers were to stop; what was changed is taken back."""

    exit_code = ExitCode.WRITTEN

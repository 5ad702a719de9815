"""How far a copy that AWS makes is, in a row beside KCL's state: any host goes on from there."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own

_KEY = "KclProcessorManagedCopy"


@dataclass(frozen=True)
class Steps:
    """What was asked for.

    Attributes:
        token: the one that AWS knows its jobs by, and the copy's mark.
        bucket, prefix: where the export is to lie.
        export: its ARN, once it was asked for.
        stream: the ARN of the one that was on then; what changes from then on is in it.
        importing: an import was asked for, or is just being.
        imported: the import's ARN.
    """

    token: str
    bucket: str
    prefix: str
    export: str = ""
    stream: str = ""
    importing: bool = False
    imported: str = ""

    @classmethod
    def new(cls, bucket: str, prefix: str) -> Self:
        """Nothing was asked for."""
        return cls(uuid.uuid4().hex, bucket, prefix)


class StepsRow:
    """The row. One process at a time keeps it, which holds the task's mark or its host's lock."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._row: Row | None = None

    def load(self) -> Steps | None:
        """What was asked for; ``None`` for nothing.

        Raises:
            OperatorError, PermissionDenied: it cannot be read.
        """
        self._row = read_own(self._task, _KEY)
        if self._row is None:
            return None
        return Steps(**{name: next(iter(value.values())) for name, value in self._row.items()})

    def save(self, steps: Steps, **changed: Any) -> Steps:
        """Write down what is asked for, before it is; the steps with what has changed.

        Raises:
            OperatorError: another host has written there since.
            PermissionDenied: it cannot be written.
        """
        steps = replace(steps, **changed)
        row: Row = {
            name: {"BOOL" if isinstance(value, bool) else "S": value}
            for name, value in asdict(steps).items()
        }
        self._replace(row)
        return steps

    def clear(self) -> None:
        """Forget it all.

        Raises:
            As :meth:`save` does.
        """
        if self._row:
            self._replace(None)

    def _replace(self, row: Row | None) -> None:
        if not replace_own(self._task, _KEY, self._row, row):
            raise OperatorError(
                f"Another host goes on with the copy of task {self._task.name} that AWS makes.",
                "stop one of them",
            )
        self._row = row

"""What the launcher leaves on its host, for tests of those who read it."""

from __future__ import annotations

import json

from kcl_processor.config.paths import TaskFiles


def note_end(files: TaskFiles, at: float, code: int = 1, reason: str | None = None) -> None:
    """How the worker of these files ended, in seconds since the epoch."""
    files.worker.mkdir(parents=True, exist_ok=True)
    files.ending.write_text(json.dumps({"at": at, "code": code, "reason": reason}))

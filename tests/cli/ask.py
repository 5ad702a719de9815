"""What the commands' tests share: a file of one task, and a command that was run."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import NamedTuple, Protocol

from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Ask(Protocol):
    """Runs a command on the task's file."""

    def __call__(self, command: str, *words: str) -> Said: ...


def write_tasks(path: Path, url: str) -> Task:
    """Write a file of one task whose tables no other test has; nothing is created."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    path.write_text(
        f"""tasks:
  {name}:
    source: {{region: us-east-1, table: {name}, endpoint: "{url}"}}
    destination: {{region: us-east-1, table: {name}-replica, endpoint: "{url}"}}
    metrics: {{endpoint: "{url}"}}
"""
    )
    return load_tasks(path)[0]

"""The product's commands on one task, as an operator types them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.credentials import environment
from kcl_processor.cli.hint import WITHOUT_STATE


@dataclass(frozen=True)
class Commands:
    """``kcl-processor`` with a configuration file and a state directory."""

    file: Path
    state: Path

    def line(self, name: str, *words: str) -> list[str]:
        """The command line of a command."""
        state = () if name in WITHOUT_STATE else ("--state-dir", str(self.state))
        of_task = ("-c", str(self.file), *state)
        return [sys.executable, "-m", "kcl_processor", name, *of_task, *words]

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.line(name, *words),
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        """What ``status --json`` says of the task."""
        (status,) = json.loads(self.run("status", "--json").stdout)
        return dict(status)

"""A daemon as the bootstrap script starts it: no command of the product has looked before."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from integration.commands import Commands
from integration.worker import Worker

SCRIPT = Path(__file__).parent.parent / "scripts" / "kcl_processor_helper.py"


def bootstrapped(commands: Commands, folder: Path) -> Worker:
    """What `render` writes for the only task of a file, and the script prints; not started yet.

    Args:
        folder: for its properties and its logs; made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    done = commands.run("render", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    asked = [sys.executable, str(SCRIPT), "--print_command", "--properties", done.stdout.strip()]
    printed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    # As in an activated environment: the daemon finds the record processor by its name.
    path = f"PATH={Path(sys.executable).parent}:/usr/bin:/bin"
    command = ["/usr/bin/env", path, *shlex.split(printed)]
    return Worker(command, folder / "run.log", folder / "connectors.log")

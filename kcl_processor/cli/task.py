"""The arguments that name a task in a configuration file, shared by the commands that take one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kcl_processor.config.paths import TaskFiles, state_directory
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import find_task, load_tasks
from kcl_processor.state.owner import owned_files

_DEFAULT_FILE = "kcl-processor.yml"


def default_file() -> Path:
    """The tasks' YAML file of a command that is not given one."""
    return Path(os.environ.get("KCL_PROCESSOR_CONFIG", _DEFAULT_FILE))


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``-c FILE``."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        default=default_file(),
        help=f"the tasks' YAML file (default: $KCL_PROCESSOR_CONFIG, or {_DEFAULT_FILE})",
    )


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``-c FILE`` and ``[TASK]``."""
    add_config_argument(parser)
    parser.add_argument(
        "task", metavar="TASK", nargs="?", help="the task's name; not needed if there is only one"
    )


def chosen_task(args: argparse.Namespace) -> Task:
    """The task that the arguments name.

    Raises:
        ConfigError: the file is wrong, or does not hold that task.
    """
    return find_task(load_tasks(args.config), args.task, args.config)


def chosen_files(args: argparse.Namespace) -> TaskFiles:
    """The files on this host of the task that the arguments name.

    Raises:
        ConfigError: as :func:`chosen_task`; or they belong to another task of its name.
    """
    return owned_files(chosen_task(args), state_directory(args.state_dir))


def add_state_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--state-dir``."""
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        help="where this host keeps what must last: rendered files, dead letters, gaps, copy "
        "progress (default: $KCL_PROCESSOR_STATE, or ~/.local/state/kcl-processor)",
    )

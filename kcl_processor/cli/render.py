"""Write the .properties of every task of a file, one file a task.

KCL, the launcher and the record processors read nothing else, so such a file can be handed to the
bootstrap script, ours or kclpy's own. Each holds the ARN of the source's stream: taken from
source.stream_arn where the task has one, otherwise asked from the source.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kcl_processor import daemon, preflight
from kcl_processor.cli.task import add_config_argument, add_state_argument
from kcl_processor.config_file import load_tasks
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.render import render

HELP = "write the tasks' .properties"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("properties"),
        help="the folder to write to (default: properties)",
    )


def run(args: argparse.Namespace) -> int:
    state = daemon.state_directory(args.state_dir)
    for task in load_tasks(args.config):
        path = args.out / f"{task.name}.properties"
        arn = task.source.stream_arn or preflight.check_source(task.source).stream_arn
        _write(path, render(task, arn, path, state, args.config.name))
        print(path)
    return ExitCode.OK


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="iso-8859-1")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "--out DIR") from error

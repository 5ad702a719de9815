"""Write the .properties of every task of a file, or units that supervise them, one file a task.

KCL, the launcher and the record processors read nothing else, so such a file can be handed to the
bootstrap script, ours or kclpy's own. Each holds the ARN of the source's stream: taken from
source.stream_arn where the task has one, otherwise asked from the source. Of a task with rules both
tables are asked for their keys.

--systemd and --supervisord write units instead, which start each task's daemon with this
configuration file, start it again where that helps and leave it stopped where a person must act.

example:
  kcl-processor render --systemd --out units
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kcl_processor.cli.task import add_config_argument, add_state_argument
from kcl_processor.config.paths import RENDERED, TaskFiles, state_directory
from kcl_processor.config.render import render
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.launch import preflight
from kcl_processor.launch.service_units import supervisord_program, systemd_unit, unit_name

HELP = "write the tasks' .properties, or units for systemd or supervisord"


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
    units = parser.add_mutually_exclusive_group()
    units.add_argument("--systemd", action="store_true", help="write kcl-processor-TASK.service")
    units.add_argument("--supervisord", action="store_true", help="write kcl-processor-TASK.conf")
    parser.add_argument(
        "--log-dir",
        metavar="DIR",
        type=Path,
        default=Path("/var/log/kcl-processor"),
        help="for --supervisord: the daemons' --log-dir (default: /var/log/kcl-processor)",
    )


def run(args: argparse.Namespace) -> int:
    state = state_directory(args.state_dir)
    for task in load_tasks(args.config):
        path, text = _rendered(args, task, state)
        _write(path, text)
        print(path)
    return ExitCode.OK


def _rendered(args: argparse.Namespace, task: Task, state: Path) -> tuple[Path, str]:
    unit = args.out / unit_name(task)
    config = str(args.config.absolute())
    command = [str(Path(sys.executable).parent / "kcl-processor"), "run", "--supervised"]
    command += ["-c", config, task.name]
    if args.systemd:
        return unit.with_name(unit.name + ".service"), systemd_unit(task, command)
    if args.supervisord:
        text = supervisord_program(task, command, state, args.log_dir.absolute())
        return unit.with_name(unit.name + ".conf"), text
    path = args.out / f"{task.name}{RENDERED}"
    if not task.is_ruled:
        arn = task.source.stream_arn or preflight.check_source(task.source).stream_arn
        return path, render(TaskFiles(task, state), arn, path, args.config.name)
    facts = preflight.check_source(task.source)
    _, transform = preflight.check_destination(task, facts.keys, facts.table)
    text = render(TaskFiles(task, state), facts.stream_arn, path, args.config.name, transform)
    return path, text


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="iso-8859-1")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "--out DIR") from error

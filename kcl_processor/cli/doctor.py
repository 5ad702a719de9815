"""Check every precondition of a task, and say of each that does not hold why, and what to try.

Makes each call that the daemon will make, and changes nothing: writes to KCL's tables carry a
condition that never holds, and the destination is asked to delete a random key that nobody has. A
zero is published to the metric RecordsWritten. An SQS queue of dead letters is looked for, and no
letter is sent. Run it with the credentials of the daemon. In the state directory it archives the
daemon's classes once, which makes each start a second shorter.

exit code: 0 nothing fails, 1 something does, 2 the file is wrong.

example:
  kcl-processor doctor orders
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json, wrapped
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import state_directory
from kcl_processor.errors import ExitCode
from kcl_processor.operate.check import FAIL, OK, WARN, Check
from kcl_processor.operate.doctor import Doctor
from kcl_processor.words import many

HELP = "check every precondition of a task"

# Columns before what is said of a check.
_INDENT = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    parser.add_argument("--log-dir", metavar="DIR", type=Path, default=Path.cwd())
    parser.add_argument("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, PATH)")
    parser.add_argument("--json", action="store_true", help="a JSON list of checks")


def run(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    state = state_directory(args.state_dir)
    logs = args.log_dir.absolute()
    doctor = Doctor(task, state, logs, args.java, SystemClock(), time.sleep)
    examined = (
        replace(check, hint=check.hint and as_called(check.hint, args))
        for check in doctor.examine()
    )
    if args.json:
        checks = list(examined)
        print_json([asdict(check) for check in checks])
    else:
        checks = _print(examined)
    return ExitCode.CRASH if any(check.result == FAIL for check in checks) else ExitCode.OK


def _print(examined: Iterable[Check]) -> list[Check]:
    """Print each check as soon as it is made: some take a while."""
    checks = []
    for group, of_group in itertools.groupby(examined, key=lambda check: check.group):
        print(group)
        for check in of_group:
            checks.append(check)
            print("\n".join(lines(check)), flush=True)
    print(summary(checks))
    return checks


def lines(check: Check) -> list[str]:
    """One check as a person reads it."""
    mark = "FAIL" if check.result == FAIL else check.result
    said = [wrapped(f"  {mark:<4}  {check.text}", _INDENT)]
    if check.why:
        said.append(wrapped(f"{'':{_INDENT}}why  {check.why}", _INDENT + 5))
    # What is typed stays in one piece.
    return [*said, f"{'':{_INDENT}}try  {check.hint}"] if check.hint else said


def summary(checks: list[Check]) -> str:
    """How many of each kind, in a line."""
    failures = sum(check.result == FAIL for check in checks)
    warnings = sum(check.result == WARN for check in checks)
    if not failures and not warnings:
        return f"all {sum(check.result == OK for check in checks)} checks passed"
    return f"{many(failures, 'failure')}, {many(warnings, 'warning')}"

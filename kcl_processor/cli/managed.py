"""How ``copy --managed`` is asked for, and what it asks."""

from __future__ import annotations

import argparse
import sys

from kcl_processor.cli.output import print_json, print_rows
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.table.managed_copy import ManagedOptions
from kcl_processor.table.managed_row import StepsRow


def managed_options(args: argparse.Namespace) -> ManagedOptions | None:
    """The options of a copy that AWS is to make; ``None`` where it is not.

    Raises:
        ConfigError: the arguments go together with no copy.
    """
    if args.live and args.from_export:
        raise ConfigError(
            "--live looks at the source behind what it lays, and an export is of another time.",
            "one of them",
        )
    if not args.managed:
        if args.bucket:
            raise ConfigError("--bucket is where --managed exports to.", "--managed as well")
        return None
    if not args.bucket:
        raise ConfigError("--managed exports to a bucket of yours.", "--bucket with its name")
    if args.part or args.from_export or args.live:
        raise ConfigError(
            "--managed copies the whole table, from an export of its own.",
            "it without --part, --from-export and --live",
        )
    return ManagedOptions(*place_of(args.bucket), lambda what: _ask(what, args))


def print_managed(task: Task, *, as_json: bool) -> bool:
    """Print what AWS was asked for, for a copy that it makes; whether it was."""
    steps = StepsRow(task).load()
    if steps is None:
        return False
    row = {
        "task": task.name,
        "state": "importing" if steps.importing else "exporting",
        "export": steps.export or None,
        "import": steps.imported or None,
    }
    if as_json:
        print_json(row)
    else:
        print_rows([row], tuple(row))
    return True


def place_of(bucket: str) -> tuple[str, str]:
    """The bucket and the prefix that ``NAME[/PREFIX]`` names."""
    name, _, prefix = bucket.removeprefix("s3://").strip("/").partition("/")
    return name, prefix


def _ask(what: str, args: argparse.Namespace) -> None:
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{what}; nobody is there to be asked.", "--yes as well: it turns it on")
    print(f"{what}. Turn it on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigError("It stays off; nothing was touched.", "kcl-processor copy --plan")

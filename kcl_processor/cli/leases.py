"""Show the checkpoint table joined with the stream's shards; reset, restore, unlock.

  kcl-processor leases [TASK]                 one line a shard
  kcl-processor leases reset [TASK]           set checkpoints back (or forward, to latest)
  kcl-processor leases restore FILE [TASK]    put back the rows that a reset saved
  kcl-processor leases unlock-leader [TASK]   remove the lock of a leader that is gone

Showing only reads. The others change nothing without --yes, and refuse while a worker lives.

columns:
  STATE      ended, gap, waiting (for its parent), unleased (no lease yet), orphan (open and
             unowned), stale (owned, but the lease's counter stands still), active
  MOVING     whether the lease's counter grew while it was watched, for a few seconds
  SWITCHES   how often the shard changed hands since its last checkpoint
  LAG        age of the oldest change behind the checkpoint; - when all is read. A running
             daemon checkpoints every few seconds, so a lag of that size is none
  AGE        age of the change at the checkpoint
  TRIMS IN   time until the stream drops the oldest change behind the checkpoint
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from kcl_processor.aws import clients
from kcl_processor.cli.output import Row, duration, print_json, print_rows
from kcl_processor.cli.task import add_config_argument, add_state_argument, chosen_task
from kcl_processor.cli.watch import add_watch_argument, show
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.fleet.leases import LATEST, TRIM_HORIZON, scan
from kcl_processor.launch import daemon
from kcl_processor.operate import lease_reset
from kcl_processor.operate.lineage import ENDED, ShardView, tree
from kcl_processor.operate.observe import Observer

HELP = "show, reset or restore KCL's checkpoints"

_ACTIONS = ("reset", "restore", "unlock-leader")
_COLUMNS = ("shard", "state", "owner", "checkpoint", "moving", "switches", "lag", "age", "trims_in")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", metavar="[ACTION] [FILE] [TASK]", nargs="*", help="see above; TASK if several"
    )
    add_config_argument(parser)
    add_state_argument(parser)
    view = parser.add_argument_group("showing")
    view.add_argument("--tree", action="store_true", help="draw which shard came from which")
    view.add_argument("--owner", metavar="ID", help="only this worker's shards")
    view.add_argument("--open", action="store_true", help="only shards that still take changes")
    view.add_argument("--wide", action="store_true", help="whole names and sequence numbers")
    view.add_argument("--no-wait", action="store_true", help="do not watch the counters: MOVING -")
    view.add_argument("--json", action="store_true", help="a JSON list, durations in seconds")
    add_watch_argument(parser)
    change = parser.add_argument_group("changing")
    change.add_argument(
        "--shard", metavar="S", help="reset this shard, and what descends from it; S may be an end"
    )
    change.add_argument(
        "--to",
        metavar="WHERE",
        default="trim-horizon",
        help="trim-horizon (default), latest, or with --shard a sequence number",
    )
    change.add_argument("--save", metavar="FILE", type=Path, help="where the rows are saved first")
    change.add_argument("--yes", action="store_true", help="do it")


def run(args: argparse.Namespace) -> int:
    words = list(args.words)
    action = words.pop(0) if words and words[0] in _ACTIONS else "show"
    file = Path(words.pop(0)) if action == "restore" and words else None
    args.task = words.pop(0) if words else None
    if words or (action == "restore" and file is None):
        raise ConfigError("These are not the words of this command.", "kcl-processor leases --help")
    task = chosen_task(args)
    if action == "reset":
        return _reset(task, args)
    if file is not None:
        return _restore(task, file, args.yes)
    return _unlock(task, args.yes) if action == "unlock-leader" else _show(task, args)


def _show(task: Task, args: argparse.Namespace) -> int:
    state = daemon.state_directory(args.state_dir)
    observer = Observer(task, state, SystemClock(), time.sleep)

    def draw() -> int:
        # Between two redraws the counters have time to move; only a single look must wait.
        sight = observer.look(patient=not (args.no_wait or args.watch))
        views = [view for view in sight.shards if _wanted(view, args)]
        if args.json:
            print_json([asdict(view) for view in views])
        else:
            print_rows(rows(views, args.tree, args.wide), _COLUMNS, as_json=False)
        return ExitCode.OK if sight.found else ExitCode.NOT_RUNNING

    return show(draw, args.watch)


def rows(views: list[ShardView], as_tree: bool, wide: bool) -> list[Row]:
    """The table's rows: names and numbers cut to what tells them apart, unless ``wide``."""
    drawn = tree(views) if as_tree else (("", view) for view in views)
    return [
        {
            "shard": branch + (view.shard if wide else _end(view.shard, 17)),
            "state": view.state,
            "owner": view.owner,
            "checkpoint": view.checkpoint if wide else _end(view.checkpoint, 14),
            "moving": None if view.state == ENDED else view.moving,
            "switches": view.owner_switches,
            "lag": duration(view.lag),
            "age": duration(view.age),
            "trims_in": duration(view.trims_in),
        }
        for branch, view in drawn
    ]


def _end(text: str | None, length: int) -> str:
    text = text or ""
    return text if len(text) <= length + 1 else "…" + text[-length:]


def _wanted(view: ShardView, args: argparse.Namespace) -> bool:
    return (not args.owner or view.owner == args.owner) and (view.open or not args.open)


def _reset(task: Task, args: argparse.Namespace) -> int:
    to = _position(args)
    client = clients.kcl_tables(task)
    table = task.kcl.application_name
    items = _items(client, table)
    steps = lease_reset.plan_reset(items, args.shard, to)
    _print(steps)
    if not args.yes:
        print(f"{len(steps)} rows not changed. Try: --yes")
        return ExitCode.OK
    lease_reset.refuse_if_alive(client, task, SystemClock(), time.sleep)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    state = daemon.state_directory(args.state_dir)
    path = args.save or state / f"{task.name}.leases-{stamp}.json"
    lease_reset.save(path, task, items)
    lease_reset.apply(client, table, steps)
    print(
        f"{len(steps)} rows changed. To undo: kcl-processor leases restore {path} {task.name} --yes"
    )
    return ExitCode.OK


def _restore(task: Task, path: Path, execute: bool) -> int:
    client = clients.kcl_tables(task)
    table = task.kcl.application_name
    steps = lease_reset.plan_restore(lease_reset.load(path, task), _items(client, table))
    _print(steps)
    if not execute:
        print(f"{len(steps)} rows not changed. Try: --yes")
        return ExitCode.OK
    lease_reset.refuse_if_alive(client, task, SystemClock(), time.sleep)
    lease_reset.apply(client, table, steps)
    print(f"{len(steps)} rows changed.")
    return ExitCode.OK


def _unlock(task: Task, execute: bool) -> int:
    client = clients.kcl_tables(task)
    found = lease_reset.unlock_leader(client, task, SystemClock(), time.sleep, execute)
    if found is None:
        print("Nobody holds the leader's lock.")
    elif execute:
        print(f"The lock of {found.owner} is removed.")
    else:
        print(f"The leader {found.owner} gives no sign of life. Try: --yes")
    return ExitCode.OK


def _position(args: argparse.Namespace) -> str:
    named = {"trim-horizon": TRIM_HORIZON, "latest": LATEST}
    if args.to in named:
        return named[args.to]
    if args.to.isascii() and args.to.isdigit() and args.shard:
        return str(args.to)
    raise ConfigError(
        f"--to {args.to}: a reset goes to trim-horizon, latest, or, of one --shard, a number.",
        "kcl-processor leases --help",
    )


def _items(client: object, table: str) -> list[lease_reset.Item]:
    items = scan(client, table)
    if items is None:
        raise OperatorError(f"There is no lease table {table}.", "kcl-processor run makes it")
    return items


def _print(steps: list[lease_reset.Step]) -> None:
    changes: list[Row] = [
        {
            "shard": step.shard,
            "checkpoint": step.before.get("checkpoint", {}).get("S"),
            "becomes": step.after["checkpoint"]["S"] if step.after else "deleted",
        }
        for step in steps
    ]
    print_rows(changes, ("shard", "checkpoint", "becomes"), as_json=False)

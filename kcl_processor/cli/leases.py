"""Show the checkpoint table joined with the stream's shards; reset, restore, unlock.

  kcl-processor leases [TASK]                 one line a shard; short for leases show
  kcl-processor leases reset [TASK]           set checkpoints back (or forward, to latest)
  kcl-processor leases restore FILE [TASK]    put back the rows that a reset saved
  kcl-processor leases unlock-leader [TASK]   remove the lock of a leader that is gone

Showing only reads. The others change nothing without --yes, and refuse while a worker lives,
or a copy is not finished.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from kcl_processor.aws import clients
from kcl_processor.cli import ranges
from kcl_processor.cli.hint import again, as_called
from kcl_processor.cli.output import Row, duration, print_json, print_rows
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files, chosen_task
from kcl_processor.cli.watch import add_watch_argument, show
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.fleet import lease_changes
from kcl_processor.fleet.leases import LATEST, TRIM_HORIZON, lease, scan
from kcl_processor.fleet.running import refuse_running
from kcl_processor.fleet.stream import Stream
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.launch.copy_mark import refuse_unfinished, retire_mark
from kcl_processor.launch.live_mark import refuse_live_unfinished
from kcl_processor.launch.preflight import stream_arn
from kcl_processor.operate import lease_reset
from kcl_processor.operate.lineage import ENDED, STATES, ShardView, tree
from kcl_processor.operate.observe import Observer
from kcl_processor.words import many

HELP = "show, reset or restore KCL's checkpoints"

_STATES = "\n".join(f"               {state:<13}{means}" for state, means in STATES.items())
_SHOW = f"""\
One line a shard.

columns:
  STATE      the first of these that fits:
{_STATES}
  MOVING     whether the lease is renewed: its owner said so a moment ago, of every lease in its
             name, or the counter grew while it was watched, for a few seconds. What an owner said
             that died since still counts for 3.5 seconds, on other hosts
  SWITCHES   how often the shard changed hands since its last checkpoint
  LAG        age of the oldest change behind the checkpoint; - when all is read. A running
             daemon checkpoints every few seconds, so a lag of that size is none
  AGE        age of the change at the checkpoint
  TRIMS IN   time until the stream drops the oldest change behind the checkpoint

On a terminal that is too narrow AGE, SWITCHES, MOVING and CHECKPOINT are left out, in this order;
--wide leaves out nothing.

The stream is not asked about a shard that a record processor of this host has just read all of,
and, where there are more than 500 leases, not for shards that are older than all that is to be
read: one as old that has no lease is not seen. --thorough asks and watches all, as health does.

examples:
  kcl-processor leases show orders --tree
  kcl-processor leases orders --watch
"""
_RESET = """\
Set checkpoints back to the oldest change that the stream still holds, or elsewhere. The rows are
saved to a file first, which `leases restore` takes.

example:
  kcl-processor leases reset orders --shard 5e0b6ed2 --yes
"""
_RESTORE = """\
Put back the rows that a reset saved.

example:
  kcl-processor leases restore orders.leases.json orders --yes
"""
_UNLOCK = """\
Remove the lock of a leader that gives no sign of life any more.

example:
  kcl-processor leases unlock-leader orders --yes
"""

# Options that take the word behind them, which is then no action.
WITH_VALUES = ("-c", "--config", "--state-dir", "--owner", "--shard", "--to", "--save")

_COLUMNS = ("shard", "state", "owner", "checkpoint", "moving", "switches", "lag", "age", "trims_in")
# What a narrow terminal does without, the first of them first.
_SPARE = ("age", "switches", "moving", "checkpoint")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, (text, add, act) in ACTIONS.items():
        action = actions.add_parser(
            name,
            help=" ".join(text.split()).split(". ")[0].rstrip(".") + ".",
            description=text,
        )
        add(action)
        add_task_arguments(action)
        add_state_argument(action)
        action.set_defaults(act=act)


def run(args: argparse.Namespace) -> int:
    code: int = args.act(args)
    return code


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tree", action="store_true", help="draw which shard came from which")
    parser.add_argument("--owner", metavar="ID", help="only this worker's shards")
    parser.add_argument("--open", action="store_true", help="only shards that still take changes")
    parser.add_argument("--wide", action="store_true", help="whole names and sequence numbers")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not watch counters: MOVING may be -"
    )
    parser.add_argument(
        "--thorough", action="store_true", help="watch, list and look into all, for some seconds"
    )
    parser.add_argument("--json", action="store_true", help="a JSON list, durations in seconds")
    add_watch_argument(parser)


def _add_reset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shard",
        metavar="S",
        type=ranges.shard,
        help="reset this shard, and what descends from it; S may be an end",
    )
    parser.add_argument(
        "--to",
        metavar="WHERE",
        default="trim-horizon",
        help="trim-horizon (default), latest (until a change is read, a restart begins at the then "
        "latest), or with --shard a sequence number",
    )
    parser.add_argument("--save", metavar="FILE", type=Path, help="where the rows are saved first")
    _add_yes(parser)


def _add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="what the reset printed")
    _add_yes(parser)


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument("--json", action="store_true", help="a JSON object")


def _show(args: argparse.Namespace) -> int:
    observer = Observer(chosen_files(args), SystemClock(), time.sleep)

    def draw() -> int:
        # Between two redraws the counters have time to move; only a single look must wait.
        patient = not (args.no_wait or args.watch)
        sight = observer.look(patient=patient, thorough=args.thorough)
        views = [view for view in sight.shards if _wanted(view, args)]
        if args.json:
            print_json([asdict(view) for view in views])
        else:
            shown = rows(views, as_tree=args.tree, wide=args.wide)
            print_rows(shown, _COLUMNS, spare=() if args.wide else _SPARE)
        if sight.unseen:
            words = f"Error: {sight.unseen.message}\nTry: {sight.unseen.hint}"
            print(as_called(words, args), file=sys.stderr)
            return sight.unseen.exit_code
        return ExitCode.OK if sight.found else ExitCode.NOT_RUNNING

    return show(draw, watch=args.watch)


def rows(views: list[ShardView], *, as_tree: bool, wide: bool) -> list[Row]:
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


def _reset(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    task, to = files.task, _position(args)
    refuse_foreign(task, SystemClock(), time.sleep)
    client, table = clients.checkpoints(task), task.kcl.application_name
    items = _items(client, table)
    stream = Stream(clients.streams(task.source), stream_arn(task), SystemClock(), time.sleep)
    if to.isdigit():
        _refuse_nowhere(stream, lease_reset.named(list(map(lease, items)), args.shard).shard, to)
    steps = lease_reset.plan_reset(items, stream.shards(), args.shard, to)
    _show_changes(steps, args)
    if not args.yes:
        return _tell(steps, args)
    refuse_unfinished(task, SystemClock().now())
    if to != TRIM_HORIZON:
        refuse_live_unfinished(task, "pass over changes", SystemClock().now())
    refuse_running(task, SystemClock(), time.sleep)
    path = args.save or files.saved_leases(SystemClock().now())
    lease_changes.save(path, task, items)
    lease_changes.apply(client, table, steps)
    if steps and all(step.after is None for step in steps):
        retire_mark(task)
    undo = as_called(f"kcl-processor leases restore {shlex.quote(str(path))} {task.name}", args)
    return _tell(steps, args, f" To undo: {undo} --yes", path)


def _restore(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    refuse_foreign(task, SystemClock(), time.sleep)
    client, table = clients.checkpoints(task), task.kcl.application_name
    steps = lease_reset.plan_restore(lease_changes.load(args.file, task), _items(client, table))
    _show_changes(steps, args)
    if not args.yes:
        return _tell(steps, args)
    refuse_unfinished(task, SystemClock().now())
    refuse_live_unfinished(task, "pass over changes", SystemClock().now())
    refuse_running(task, SystemClock(), time.sleep)
    lease_changes.apply(client, table, steps)
    return _tell(steps, args)


def _show_changes(steps: list[lease_changes.Step], args: argparse.Namespace) -> None:
    """The table comes before the work, JSON behind it as a whole."""
    if not args.json:
        print_rows(_changes(steps), ("shard", "checkpoint", "becomes"))


def _tell(
    steps: list[lease_changes.Step],
    args: argparse.Namespace,
    undo: str = "",
    saved: Path | None = None,
) -> int:
    if args.json:
        where = str(saved) if saved else None
        print_json({"changed": args.yes, "rows": _changes(steps), "saved": where})
    elif args.yes:
        print(f"{many(len(steps), 'row')} changed.{undo}")
    else:
        print(f"{many(len(steps), 'row')} not changed. Try: {again(args)} --yes")
    return ExitCode.OK


def _changes(steps: list[lease_changes.Step]) -> list[Row]:
    return [
        {
            "shard": step.shard,
            "checkpoint": step.before.get("checkpoint", {}).get("S"),
            "becomes": step.after["checkpoint"]["S"] if step.after else "deleted",
        }
        for step in steps
    ]


def _unlock(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    refuse_foreign(task, SystemClock(), time.sleep)
    if args.yes:
        refuse_unfinished(task, SystemClock().now())
    client = clients.checkpoints(task)
    found = lease_reset.unlock_leader(client, task, SystemClock(), time.sleep, execute=args.yes)
    if args.json:
        print_json({"owner": found and found.owner, "removed": bool(found and args.yes)})
    elif found is None:
        print("Nobody holds the leader's lock.")
    elif args.yes:
        print(f"The lock of {found.owner} is removed.")
    else:
        print(f"The leader {found.owner} gives no sign of life. Try: {again(args)} --yes")
    return ExitCode.OK


def _position(args: argparse.Namespace) -> str:
    named = {"trim-horizon": TRIM_HORIZON, "latest": LATEST}
    if args.to in named:
        return named[args.to]
    if args.to.isascii() and args.to.isdigit() and args.shard:
        return str(args.to)
    raise ConfigError(
        f"--to {args.to}: a reset goes to trim-horizon, latest, or, of one --shard, a number.",
        "kcl-processor leases reset --help",
    )


def _refuse_nowhere(stream: Stream, shard: str, sequence_number: str) -> None:
    """KCL would ask for an iterator there for ever."""
    if not stream.holds(shard, sequence_number):
        raise ConfigError(
            f"Shard {shard} holds no record of sequence number {sequence_number}, or no longer.",
            "--to with the number of a record that the shard still holds, or trim-horizon",
        )


def _items(client: object, table: str) -> list[lease_changes.Item]:
    items = scan(client, table)
    if items is None:
        raise OperatorError(f"There is no lease table {table}.", "kcl-processor run makes it")
    return items


# In the order in which help shows them; the first is done where none is named.
ACTIONS: dict[
    str,
    tuple[
        str,
        Callable[[argparse.ArgumentParser], None],
        Callable[[argparse.Namespace], int],
    ],
] = {
    "show": (_SHOW, _add_show, _show),
    "reset": (_RESET, _add_reset, _reset),
    "restore": (_RESTORE, _add_restore, _restore),
    "unlock-leader": (_UNLOCK, _add_yes, _unlock),
}

"""Copy the source table to the destination, before the daemon's first start.

Reads segments of the source in parallel and writes them to the destination. Goes on where it
stopped, also after kill -9. Then start the daemon: it replays what the stream holds, and so brings
every item that changed meanwhile to its last state. The stream keeps changes for 24 hours, so copy
refuses when it would need more than 20, warns at 16, and stops at 23. It and the daemon keep each
other out, on whatever host: an old item could land on a newer one.

Of a task with rules the items are laid by these; it is gone on with by no others.

With --from-export, the items come from an export of the table to S3 (all of it, DYNAMODB_JSON),
and the hours count from the export's time. All its files are checked before an item is written.

With --managed --bucket B, AWS does it: stream and point-in-time recovery on, an export to the
bucket, and an import into a new table like the source; waited for, and gone on with. Where the
destination is there, or the task has rules, this command lays the export itself. An import that has
taken longer than the stream keeps changes ends with 9, and with what to type.

With --part, several hosts copy one table, a part each: the first begins the copy, and the last to
end lets the daemon start. How far a part is lies beside the checkpoints: any host goes on with it.

With --live it is the other way round: the daemon runs first, and the copy beside it, for as long as
it takes, on any host, which any other goes on from. It lays an item only where the destination has
none, and reads it again behind that: what the source has deleted by then is taken away again.

examples:
  kcl-processor copy orders --max-rcu 50% --max-wcu 500
  kcl-processor copy orders --live
  kcl-processor copy orders --status
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from kcl_processor.cli.beside import PATIENCE, DaemonsHalt, add_beside_argument
from kcl_processor.cli.hint import again, as_called
from kcl_processor.cli.managed import managed_options, print_managed
from kcl_processor.cli.output import print_json, print_rows
from kcl_processor.cli.plan import print_plan
from kcl_processor.cli.progress import ProgressLines, size, whole_duration
from kcl_processor.cli.ranges import MOST_PARTS, MOST_SEGMENTS, part, units, whole
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import Clock, SystemClock, utc
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.launch.copy_mark import follow_until
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.log import log_to_stderr
from kcl_processor.table.copy_progress import CopyProgress, load
from kcl_processor.table.copy_sides import CopyOptions, describe_plan
from kcl_processor.table.copy_task import Copied, is_running, run_copy
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.live_checks import refuse_lost
from kcl_processor.table.live_task import WHOLE, run_live
from kcl_processor.table.managed_copy import run_managed
from kcl_processor.table.pace import Halt, Halted
from kcl_processor.table.part_row import part_at_work
from kcl_processor.table.scan import FEWEST, MOST
from kcl_processor.table.table_reader import Segment

Way = Callable[[TaskFiles, CopyOptions, CopyListener, Halt, Clock], Copied]

HELP = "copy the table, before the daemon's first start"

# What a narrow terminal does without, the first of them first.
_SPARE = ("throttled", "in_progress", "segments", "segments_done", "bytes", "items_per_second")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    add_copy_arguments(parser)
    parser.add_argument(
        "--live",
        action="store_true",
        help="copy beside the daemon, which was started before; what the destination holds is left",
    )
    add_beside_argument(parser)
    parser.add_argument(
        "--part",
        type=part(MOST_PARTS),
        metavar="I/N",
        help="only part I of N, from 0; each on any host, which any other goes on from",
    )
    parser.add_argument(
        "--from-export",
        metavar="S3_URI",
        help="copy what an export of the source to S3 holds: s3://BUCKET/PREFIX/AWSDynamoDB/ID/",
    )
    parser.add_argument(
        "--managed", action="store_true", help="let AWS export to S3 and import; asks, or --yes"
    )
    parser.add_argument("--bucket", metavar="NAME[/PREFIX]", help="where --managed exports to")
    parser.add_argument(
        "--yes", action="store_true", help="turn stream and recovery on without asking"
    )
    parser.add_argument("--restart", action="store_true", help="forget an earlier run, begin anew")
    parser.add_argument("--status", action="store_true", help="show how far the copy is, and exit")
    parser.add_argument(
        "--plan", action="store_true", help="compare with export and import, by time and cost"
    )
    parser.add_argument("--json", action="store_true", help="--status and --plan as JSON")


def add_copy_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``copy`` and ``start`` share."""
    parser.add_argument(
        "--segments",
        type=whole(1, MOST_SEGMENTS),
        metavar="N",
        help=f"parts to scan (default: one for each 256 MB, {FEWEST} to {MOST})",
    )
    _add_processes_argument(parser)
    rate = "capacity units a second to stay under, or a percentage of the provisioned ones"
    parser.add_argument("--max-rcu", type=units, metavar="N|N%", help=f"read {rate}")
    parser.add_argument("--max-wcu", type=units, metavar="N|N%", help=f"write {rate}")
    parser.add_argument(
        "--force", action="store_true", help="copy even if it outlasts what the stream keeps"
    )
    parser.add_argument(
        "--to-empty-only",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse a destination that holds items (default)",
    )


def add_comparison_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``verify`` and ``switchover`` share: what a comparison may take."""
    _add_processes_argument(parser)
    parser.add_argument(
        "--max-rcu",
        type=units,
        metavar="N|N%",
        help="read units a second to stay under on each side, or a percentage of its provisioned",
    )


def _add_processes_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--processes",
        type=whole(1, 64),
        metavar="N",
        help="processes that share the work (default: one more than there are cores, at most 8)",
    )


def run(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    task = files.task
    if args.status:
        return _status(files, args.part or (WHOLE if args.live else None), as_json=args.json)
    options = replace(
        copy_options(args, args.part),
        export=args.from_export,
        patience=PATIENCE if args.beside else 0.0,
    )
    if args.plan:
        print_plan(task, describe_plan(task, options), as_json=args.json)
        return ExitCode.OK
    with stopping(DaemonsHalt(args.beside) if args.beside else None) as halt:
        try:
            copied = copy(files, options, halt, _way(args))
        except Halted:
            then = again(args, "--restart", values=frozenset({"--beside"}))
            print(f"Stopped. {then} goes on from here.", file=sys.stderr)
            return 130
    if copied.whole and args.live:
        _advise_live(task, copied.progress, args)
    elif copied.whole:
        _advise(task, copied.progress, args)
    return ExitCode.OK


def _way(args: argparse.Namespace) -> Way:
    """How it is copied."""
    if managed := managed_options(args):
        return partial(run_managed, managed)
    return run_live if args.live else run_copy


def _advise_live(task: Task, progress: CopyProgress, args: argparse.Namespace) -> None:
    if not progress.to_empty:
        tidy = as_called(f"kcl-processor verify {task.name} --repair --delete-extra", args)
        print(
            f"Next: {tidy}: the destination held items as the copy began, and those that the "
            "daemon did not write are as they were",
            file=sys.stderr,
        )


def _advise(task: Task, progress: CopyProgress, args: argparse.Namespace) -> None:
    until = follow_until(progress.started_at)
    if SystemClock().now() < until:
        follow = as_called(f"kcl-processor run {task.name}", args)
        print(
            f"Next: {follow}, before {utc(until, 'minutes')}: "
            f"the stream keeps {RETENTION / HOUR:.0f} h",
            file=sys.stderr,
        )
    print_left_over(task, progress, args)


def print_left_over(task: Task, progress: CopyProgress, args: argparse.Namespace) -> None:
    """Say what a copy to a destination that held items leaves to be done."""
    if not progress.to_empty:
        tidy = as_called(f"kcl-processor verify {task.name} --repair --delete-extra", args)
        print(
            f"Then: {tidy}: the destination was not empty, and may hold what the source does not",
            file=sys.stderr,
        )


def copy_options(args: argparse.Namespace, part: Segment | None = None) -> CopyOptions:
    """The options that :func:`add_copy_arguments` added."""
    return CopyOptions(
        segments=args.segments,
        max_rcu=args.max_rcu,
        max_wcu=args.max_wcu,
        force=args.force,
        to_empty_only=args.to_empty_only,
        restart=args.restart,
        processes=args.processes,
        part=part,
    )


def copy(
    files: TaskFiles,
    options: CopyOptions,
    halt: Halt,
    way: Way = run_copy,
) -> Copied:
    """Copy with progress on stderr, and show what it came to."""
    refuse_switched(files.task)
    log_to_stderr()
    clock = SystemClock()
    with ProgressLines(files.task.name, clock) as lines:
        copied = way(files, options, lines, halt, clock)
    rows = [_summary(files.task, copied.progress, live=way is run_live)]
    print_rows(rows, tuple(rows[0]), spare=("throttled", "rcu", "wcu", "took", "bytes"))
    return copied


@contextmanager
def stopping(halt: Halt | None = None) -> Iterator[Halt]:
    """A halt that Ctrl-C, SIGTERM and the end of a terminal set, unless it was started to outlive
    that: the one that is given, or one like any other."""
    halt = halt or Halt()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: halt.set()) for number in numbers}
    try:
        yield halt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(task: Task, progress: CopyProgress, *, live: bool) -> dict[str, object]:
    return {
        "task": task.name,
        "items_read": progress.items,
        **(_left_out(progress) if task.rules else {}),
        "written": progress.written,
        **({"there": progress.there, "taken_away": progress.taken_away} if live else {}),
        "set_aside": progress.refused,
        "bytes": size(progress.bytes),
        "took": whole_duration(progress.seconds),
        "rcu": round(progress.read_units),
        "wcu": round(progress.write_units),
        "throttled": progress.read_throttled + progress.write_throttled,
    }


def _left_out(progress: CopyProgress) -> dict[str, object]:
    """Items that were read and, by rules, are not at the destination."""
    return {"left_out": progress.outside, "met": progress.met}


def _status(files: TaskFiles, part: Segment | None, *, as_json: bool) -> int:
    task = files.task
    progress, running = _seen(files, part)
    if progress is None and part is None and print_managed(task, as_json=as_json):
        return ExitCode.OK
    if progress is None:
        what = f"Part {part.number}/{part.total} of the" if part and part.total > 1 else "No"
        where = "has not begun" if part else "has begun on this host"
        print(f"{what} copy of {task.name} {where}.", file=sys.stderr)
        return ExitCode.UNKNOWN
    state = "running" if running else "stopped"
    if progress.disturbed:
        state = "disturbed"
    elif progress.finished_at:
        state = "done"
    row = _status_row(task, progress, state)
    if as_json:
        print_json(row)
    else:
        print_rows([row], tuple(row), spare=_SPARE)
    refuse_lost(task, progress)
    return ExitCode.OK if state in ("done", "running") else ExitCode.NOT_RUNNING


def _seen(files: TaskFiles, part: Segment | None) -> tuple[CopyProgress | None, bool]:
    """How far it is, and whether a process is at work on it."""
    if part:
        return part_at_work(files.task, part, SystemClock().now())
    kept = load(files.copy_progress)
    # What runs beside the daemon keeps nothing on its host, and may have come after what is kept.
    live, at_work = part_at_work(files.task, WHOLE, SystemClock().now())
    if kept and not (live and live.started_at > kept.started_at):
        return kept, is_running(files.task)
    return live, at_work


def _status_row(task: Task, progress: CopyProgress, state: str) -> dict[str, object]:
    segments = progress.own_segments.values()
    left = progress.seconds_left() if state == "running" else None
    return {
        "task": task.name,
        "state": state,
        "items": progress.items,
        "expected_items": progress.expected_items,
        **({**_left_out(progress), "written": progress.written} if task.rules else {}),
        "bytes": progress.bytes,
        "items_per_second": round(progress.items_per_second),
        "seconds_left": None if left is None else round(left),
        "segments": len(segments),
        "in_progress": sum(1 for segment in segments if segment.after and not segment.done),
        "segments_done": sum(1 for segment in segments if segment.done),
        "throttled": progress.read_throttled + progress.write_throttled,
    }

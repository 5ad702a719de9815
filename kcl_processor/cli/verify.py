"""Compare source and destination item by item; with --repair, make them equal.

Both tables are scanned in segments, in step. A key that does not match is read again, strongly
consistent on both sides, until it matches or the source's item has stood still for --patience
seconds and the sides still differ: a change on its way is no difference. Memory does not grow with
the tables. It runs beside the daemon.

--repair writes the source's item, on condition that the destination still holds what was compared,
and checks again; --delete-extra also deletes what the source does not hold. An item that the
destination never accepts is told and left. Without --repair nothing is written, and with --dry-run
it is only told what would be.

A whole comparison that ends equal settles the gaps that were noted on this host before it, and is
the task's proof, whose age `status` tells. --resume compares part by part: what was compared lies
beside the checkpoints, so a run that was cut off is gone on with by the next one, on any host.
--continuous does so for good, the part that was proven longest ago first, at --max-rcu; several
hosts may share it. --recheck looks again at the keys of a report, and at no others.

With rules the source's items are compared as they are laid at the destination. What the
destination holds is traced to its item by the source's key, if it carries it; what cannot be traced
is counted, and never deleted. Under ttl_deletes: skip, what the source holds no more is kept,
whoever deleted it there, unless --delete-kept is said beside --delete-extra.

Exit codes: 0 equal, 1 different, 4 nothing differs for sure but some keys are undecided or cannot
be traced, or a rule fails for some items.

examples:
  kcl-processor verify orders
  kcl-processor verify orders --repair --delete-extra
  kcl-processor verify orders --continuous --max-rcu 50
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from kcl_processor.cli.copy import add_comparison_arguments, stopping
from kcl_processor.cli.hint import again
from kcl_processor.cli.ranges import MOST_PARTS, MOST_SEGMENTS, amount, part, share, whole
from kcl_processor.cli.rechecked import print_rechecked, read_report
from kcl_processor.cli.report import ReportLines
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.cli.verified import exit_code, print_result
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.launch.claim import refuse_foreign, refuse_other_rules
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.log import log_to_stderr
from kcl_processor.state.gaps import open_gaps, settle_gap
from kcl_processor.table.pace import Halted
from kcl_processor.table.proof_notes import note_run
from kcl_processor.table.proof_task import Prover
from kcl_processor.table.recheck import run_recheck
from kcl_processor.table.verify_task import (
    VerifyOptions,
    run_verify,
)
from kcl_processor.words import many

HELP = "compare both tables, and repair differences"

# What the advice to repair says anew.
# Another sample would look elsewhere, and another report overwrite this one.
_OF_THIS_RUN = frozenset({"--sample", "--report"})
_REPAIRS = ("--repair", "--dry-run", "--delete-extra", "--delete-kept")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    parser.add_argument(
        "--segments",
        type=whole(1, MOST_SEGMENTS),
        metavar="N",
        help="parts to scan (default: by size)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--segment", type=part(MOST_SEGMENTS), metavar="I/N", help="only part I of N, from 0"
    )
    which.add_argument(
        "--part",
        type=part(MOST_PARTS),
        metavar="I/N",
        help="only part I of N, from 0: all together are whole",
    )
    which.add_argument("--sample", type=share, metavar="P%", help="only some segments, at random")
    which.add_argument(
        "--resume",
        action="store_true",
        help="compare part by part, and go on with a run of it that was cut off, on any host",
    )
    which.add_argument(
        "--continuous", action="store_true", help="the same, over and over, at --max-rcu"
    )
    which.add_argument(
        "--recheck", metavar="FILE", type=Path, help="only the keys of a --report, each by itself"
    )
    add_comparison_arguments(parser)
    parser.add_argument(
        "--patience",
        type=amount,
        default=30.0,
        metavar="S",
        help="seconds for a change on its way to arrive (default: 30; 0 if nothing replicates)",
    )
    parser.add_argument(
        "--consistent",
        action="store_true",
        help="scan strongly consistent, at twice the read units",
    )
    parser.add_argument("--repair", action="store_true", help="make differences good")
    parser.add_argument("--dry-run", action="store_true", help="with --repair: only say how")
    parser.add_argument("--delete-extra", action="store_true", help="with --repair: delete too")
    parser.add_argument(
        "--delete-kept",
        action="store_true",
        help="with --delete-extra: what ttl_deletes: skip keeps, too",
    )
    parser.add_argument("--report", metavar="FILE", type=Path, help="one JSON line a difference")
    parser.add_argument("--show-values", action="store_true", help="with --report: items too")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    add_state_argument(parser)


def run(args: argparse.Namespace) -> int:
    files, clock = chosen_files(args), SystemClock()
    task, options = files.task, _options(args)
    began = clock.now()
    in_parts = args.resume or args.continuous
    if options.repair or in_parts:
        refuse_foreign(task, clock, time.sleep)
    if options.repair and not options.dry_run:
        refuse_other_rules(task, clock, time.sleep)
        refuse_switched(task)
    suspects = read_report(args.recheck) if args.recheck else None
    log_to_stderr()
    with (
        stopping() as halt,
        ReportLines(task, args, clock) as report,
    ):
        try:
            if suspects is not None:
                found = run_recheck(task, options, suspects, report, halt, clock)
                return print_rechecked(found, task, as_json=args.json)
            if in_parts:
                prover = Prover(task, options, report, halt, clock)
                verified, began = prover.forever() if args.continuous else prover.once()
            else:
                verified = run_verify(task, options, report, halt, clock)
        except Halted:
            print(_stopped(args), file=sys.stderr)
            return 130
    if options.whole and not in_parts:
        note_run(task, verified, began, clock, time.sleep, report.warn)
    print_result(verified, task, options, as_json=args.json, by="part" if in_parts else "segment")
    if any(result.differing for result in verified.results):
        print(
            f"Next: {again(args, *_REPAIRS, values=_OF_THIS_RUN)} {_next(options)}", file=sys.stderr
        )
    code = exit_code(verified, task)
    # Of what is kept it is not known whether a gap has lost its deletion.
    kept = any(result.kept for result in verified.results)
    if code == ExitCode.OK and options.whole and not kept:
        _settle_gaps(files, began, args)
    return code


def _stopped(args: argparse.Namespace) -> str:
    if args.resume or args.continuous:
        return f"Stopped. {again(args)} goes on from here."
    return "Stopped before the end."


def _settle_gaps(files: TaskFiles, began: float, args: argparse.Namespace) -> None:
    """The tables are equal now, so whatever a gap lost before is there, if it was of these two."""
    noted = open_gaps(files.gaps)
    healed = [gap for gap in noted if gap.at < began]
    if later := len(noted) - len(healed):
        stay = many(later, "gap noted on this host stays", "gaps noted on this host stay")
        told = (
            f"{stay} open: some of what was compared may have been so before. Next: {again(args)}"
        )
        print(told, file=sys.stderr)
    if not healed:
        return
    try:
        refuse_foreign(files.task, SystemClock(), time.sleep)
    except OperatorError as error:
        told = f"The gaps noted on this host stay open: {error.message}"
        return print(told, file=sys.stderr)
    try:
        for gap in healed:
            settle_gap(files.gaps, gap)
    except OSError as error:
        raise ConfigError(
            f"The tables are equal, and that settles the gaps in {files.gaps}, but cannot be noted "
            f"beside it: {error.strerror}.",
            "make room there or mend its permissions, then kcl-processor verify again",
        ) from error
    print(f"{many(len(healed), 'gap')} noted on this host settled.", file=sys.stderr)


def _options(args: argparse.Namespace) -> VerifyOptions:
    if (args.dry_run or args.delete_extra) and not args.repair:
        raise ConfigError("Without --repair nothing is written anyway.", "add --repair")
    if args.delete_kept and not args.delete_extra:
        raise ConfigError("What is kept is extra, too.", "add --repair --delete-extra")
    if args.show_values and not args.report:
        raise ConfigError("--show-values is for the report.", "add --report FILE")
    by_itself = next(
        (word for word in ("resume", "continuous", "recheck") if getattr(args, word)), None
    )
    if by_itself and args.segments:
        raise ConfigError(f"--{by_itself} has segments of its own.", "leave --segments out")
    if args.continuous and not args.max_rcu:
        raise ConfigError(
            "--continuous reads both tables for ever, and nothing says how fast.",
            "add --max-rcu 50; kcl-processor size says what that costs a month",
        )
    fields = (field.name for field in dataclasses.fields(VerifyOptions))
    return VerifyOptions(**{name: getattr(args, name) for name in fields})


def _next(options: VerifyOptions) -> str:
    flags = "--repair --delete-extra" if options.delete_extra else "--repair"
    flags += " --delete-kept" if options.delete_kept else ""
    if not options.repair:
        flags = "--repair --dry-run"
    elif not options.dry_run and not options.delete_extra:
        flags = "--repair --delete-extra, if what is extra is not wanted there"
    return flags

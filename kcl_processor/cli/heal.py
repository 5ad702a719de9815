"""Make good what gaps have lost: changes that left the stream before they were read.

Each gap that is noted on this host (on_gap: continue; or heal, which does all this by itself) has a
span of time. With point-in-time recovery on, an incremental export of that span to --bucket names
the keys that changed; each is read at the source and made good at the destination, on condition,
beside the daemon. A gap of which every key is equal then is settled; another host that has noted
the same one settles it when it is healed there, without an export. One process heals at a time.

An export says nothing of an item that was made and deleted within its span. So what was written to
the destination since is exported, too: both tables need point-in-time recovery. Where it is off, or
was turned on too late, it is said, and --verify compares and repairs the whole tables.

Exit codes: 0 no gap is open, 9 a gap is open still.

example:
  kcl-processor heal orders --bucket my-exports
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import redirect_stdout, suppress
from functools import partial

from kcl_processor.cli import verify
from kcl_processor.cli.beside import DaemonsHalt, add_beside_argument
from kcl_processor.cli.copy import stopping
from kcl_processor.cli.hint import again, as_called
from kcl_processor.cli.managed import place_of
from kcl_processor.cli.output import print_json, print_rows, tell
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ExitCode
from kcl_processor.launch.claim import refuse_foreign, refuse_other_rules
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.log import log_to_stderr
from kcl_processor.state.gaps import open_gaps
from kcl_processor.table.heal import BY_HAND, Healing, run_heal
from kcl_processor.table.heal_beside import ATTEMPTS, UnlessPaused, heal_beside
from kcl_processor.table.pace import Halt, Halted
from kcl_processor.table.repair import Outcome
from kcl_processor.words import many

HELP = "make good what gaps in the stream have lost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--bucket",
        metavar="NAME[/PREFIX]",
        help="where what changed is exported to (default: the task's heal_bucket)",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="for gaps that no export heals: verify --repair --delete-extra",
    )
    parser.add_argument("--json", action="store_true", help="what became of each gap as JSON")
    add_beside_argument(parser)


def run(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    if args.beside:
        return _run_beside(files, args)
    log_to_stderr()
    with stopping() as halt:
        try:
            healings = _heal(files, args, halt)
        except Halted:
            print(f"Stopped. {again(args)} goes on.", file=sys.stderr)
            return 130
    if args.verify and args.json and any(healing.open for healing in healings):
        return _verified_as_json(files, healings, args)
    _print(healings, as_json=args.json)
    if not any(healing.open for healing in healings):
        return _noted_meanwhile(files, args)
    if args.verify:
        return _verified(args)
    print(f"Next: {_mend(files, args)}, which settles what is open", file=sys.stderr)
    return ExitCode.GAP


def _noted_meanwhile(files: TaskFiles, args: argparse.Namespace) -> int:
    """Whether a gap is open that was noted while the others were healed, as an exit code."""
    noted = len(open_gaps(files.gaps))
    if not noted:
        return ExitCode.OK
    gaps = many(noted, "gap was", "gaps were")
    print(f"{gaps} noted meanwhile. Next: {again(args)}", file=sys.stderr)
    return ExitCode.GAP


def _heal(files: TaskFiles, args: argparse.Namespace, halt: Halt) -> list[Healing]:
    task, clock = files.task, SystemClock()
    refuse_foreign(task, clock, halt.wait)
    refuse_other_rules(task, clock, halt.wait)
    refuse_switched(task)
    bucket = args.bucket or task.heal_bucket
    place, attempts = place_of(bucket) if bucket else None, ATTEMPTS if args.beside else BY_HAND
    return run_heal(files, place, tell, halt, clock, attempts)


def _run_beside(files: TaskFiles, args: argparse.Namespace) -> int:
    """Heal until the daemon is gone."""
    log_to_stderr()
    with stopping(DaemonsHalt(args.beside)) as halt, suppress(Halted):
        clock = SystemClock()
        heal = partial(_heal, files, args, UnlessPaused(halt, files.task, clock))
        heal_beside(files, heal, _mend(files, args), tell, halt, clock)
    return ExitCode.OK


def _mend(files: TaskFiles, args: argparse.Namespace) -> str:
    """What makes good what no export does."""
    return as_called(f"kcl-processor verify {files.task.name} --repair --delete-extra", args)


def _verified(args: argparse.Namespace) -> int:
    """Compare and repair; the gaps are settled if all is equal."""
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    words = ["--repair", "--delete-extra", "--config", str(args.config)]
    words += ["--state-dir", args.state_dir] if args.state_dir else []
    words += [args.task] if args.task else []
    chosen = parser.parse_args(words)
    chosen.words = ["verify", *words]
    # The gaps are the result: what is compared for them is told like all else on the way.
    code = verify.run(chosen)
    if code != ExitCode.OK:
        return code
    return ExitCode.GAP if open_gaps(chosen_files(args).gaps) else ExitCode.OK


def _verified_as_json(files: TaskFiles, healings: list[Healing], args: argparse.Namespace) -> int:
    """The same, where what becomes of the gaps is one JSON document: it comes at the end."""
    with redirect_stdout(sys.stderr):
        code = _verified(args)
    left = open_gaps(files.gaps)
    for healing in healings:
        healing.open = healing.open if healing.gap in left else None
    _print(healings, as_json=True)
    return code


def _print(healings: list[Healing], *, as_json: bool) -> None:
    if as_json:
        print_json([_row(healing) for healing in healings])
        return
    if not healings:
        print("No gap is open on this host.", file=sys.stderr)
        return
    rows = [_row(healing) for healing in healings]
    print_rows(rows, tuple(rows[0]))


def _row(healing: Healing) -> dict[str, object]:
    gap, outcomes = healing.gap, healing.outcomes
    return {
        "shard": gap.shard,
        "from": gap.since,
        "to": gap.until,
        "state": "open" if healing.open else "healed",
        "keys": sum(outcomes.values()),
        **_counts(outcomes),
        "why": healing.open,
    }


def _counts(outcomes: Counter[Outcome]) -> dict[str, int]:
    return {one.value: outcomes[one] for one in (Outcome.PUT, Outcome.DELETED)}

"""Apply dead letters again: changes that the destination refused, and that were set aside.

Mend the cause on the destination first. A letter is applied only if its key has not changed since:
the source's item must still be what the letter says, and the destination's must not change
meanwhile. Others are settled without a write, for the daemon brings the newer change. What the
destination refuses again stays, and so does a letter whose rule fails again. The daemon may run.

example:
  kcl-processor replay orders
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles, is_queue
from kcl_processor.config.task import LETTERS
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.launch.claim import refuse_foreign, refuse_other_rules
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.log import log_to_stderr
from kcl_processor.state.dead_letters import HIDDEN, DeadLetter, Place, open_place
from kcl_processor.table.replay import LetterOutcome, Replay, open_replay

HELP = "apply dead letters again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--from",
        dest="place",
        metavar="PLACE",
        help="another file, or an SQS queue by URL or ARN (default: the task's dead_letters)",
    )
    parser.add_argument("--json", action="store_true", help="the counts as a JSON object")


def run(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    refuse_foreign(files.task, SystemClock(), time.sleep)
    refuse_other_rules(files.task, SystemClock(), time.sleep)
    refuse_switched(files.task)
    log_to_stderr()
    place = _place(files, args.place)
    replay = open_replay(files.task, SystemClock(), time.sleep)
    try:
        # What a rule in Python prints is no part of the result.
        with contextlib.redirect_stdout(sys.stderr):
            counts = Counter(_settled(place, replay))
        hidden = place.hidden()
    finally:
        place.release()
    if hidden and not counts:
        raise OperatorError(_told(hidden, place), f"kcl-processor replay {files.task.name}, then")
    if hidden:
        print(_told(hidden, place), file=sys.stderr)
    if not counts:
        print(f"No dead letters of {files.task.name} are open in {place}.", file=sys.stderr)
    _print(counts, as_json=args.json)
    if counts[LetterOutcome.UNTRACED]:
        print(
            as_called(
                "What the rules have laid of an item that is gone is not known from its key: "
                f"kcl-processor verify {files.task.name} --repair --delete-extra finds it, if it "
                "can be traced.",
                args,
            ),
            file=sys.stderr,
        )
    stuck = counts[LetterOutcome.REFUSED] + counts[LetterOutcome.UNTRACED]
    return ExitCode.POISON if stuck else ExitCode.OK


def _told(hidden: int, place: Place) -> str:
    return (
        f"About {hidden} other messages of {place} are hidden: another replay has them, or one "
        f"that was cut off had. What it does not settle comes back within {HIDDEN // 60} minutes."
    )


def _place(files: TaskFiles, given: str | None) -> Place:
    if given is not None and not is_queue(given) and not Path(given).is_file():
        raise ConfigError(
            f"There is no file {given}.", f"kcl-processor replay {files.task.name}, without --from"
        )
    where = files.dead_letters if given is None else given
    if not LETTERS.fits(where):
        raise ConfigError(f"{where!r} is not {LETTERS.words}.", "--from with one of these")
    return open_place(
        where, files.task.destination.region, files.task.letters_access, files.letter_file
    )


def _settled(place: Place, replay: Replay) -> Iterator[LetterOutcome]:
    """What became of each letter; those that are done are settled."""
    for letter in place.letters():
        outcome = replay.apply(letter)
        if outcome in (LetterOutcome.APPLIED, LetterOutcome.CHANGED):
            _settle(place, letter, outcome)
        else:
            print(f"{letter} is {outcome.value} and stays in {place}", file=sys.stderr)
        yield outcome


def _settle(place: Place, letter: DeadLetter, outcome: LetterOutcome) -> None:
    try:
        place.settle(letter)
    except OSError as error:
        raise ConfigError(
            f"{letter} is {outcome.value}, and that cannot be noted beside {place}: "
            f"{error.strerror}.",
            "make room there or mend its permissions, then kcl-processor replay again",
        ) from error


def _print(counts: Counter[LetterOutcome], *, as_json: bool) -> None:
    if as_json:
        print_json({outcome.name.lower(): counts[outcome] for outcome in LetterOutcome})
    else:
        print(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in LetterOutcome))

"""What happened to a task: starts, stops, gaps, refusals, shards that changed hands, and why.

  kcl-processor events orders                the last ones that are kept
  kcl-processor events orders --since 2h     of the last two hours
  kcl-processor events orders --follow       and those to come, until Ctrl-C

Each worker writes its events within two seconds into the task's -CoordinatorState table, so any
host tells those of all. The table keeps the last hundred or so of each of eight rows, which workers
share; connectors.log of each host has all of its own, for as long as its files last. Who is killed
tells nothing: that its worker died is told on its own host, and everywhere from its next start
there on; elsewhere who takes its shards tells of it. Times are the tellers' clocks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json, tell, wrapped
from kcl_processor.cli.ranges import span
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import SystemClock, utc
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.fleet.events import Event
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.operate.history import followed, history, in_words

HELP = "say what happened to a task, and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--since", type=span, metavar="TIME", help="only those of the last 90s, 30m, 2h or 7d"
    )
    parser.add_argument("--follow", action="store_true", help="go on with those to come")
    parser.add_argument(
        "--json", action="store_true", help="a JSON list; with --follow an object a line"
    )


def run(args: argparse.Namespace) -> int:
    files, clock = chosen_files(args), SystemClock()
    refuse_foreign(files.task, clock, time.sleep)
    first = clock.now() - args.since if args.since else 0.0
    if args.follow:
        for event in _following(files, args):
            if event.at >= first:
                print(json.dumps(_document(event)) if args.json else _line(event), flush=True)
    found = [event for event in history(files) if event.at >= first]
    if args.json:
        print_json([_document(event) for event in found])
        return ExitCode.OK
    for event in found:
        print(_line(event))
    if not found:
        tell("No events." if args.since else "No events: no daemon of this version was started.")
    return ExitCode.OK


def _following(files: TaskFiles, args: argparse.Namespace) -> Iterator[Event]:
    known: list[Event] | None = None

    def look() -> list[Event]:
        nonlocal known
        try:
            known = history(files)
        except OperatorError as error:
            # A network that fails meanwhile ends no watch.
            if known is None:
                raise
            tell(as_called(f"Error: {error.message}", args))
        return known

    return followed(look, time.sleep)


def _document(event: Event) -> dict[str, object]:
    words = asdict(event)
    return {"at": words.pop("at"), "what": words.pop("what"), "from": words.pop("origin"), **words}


def _line(event: Event) -> str:
    at = utc(event.at)
    return wrapped(f"{at}  {event.teller}  {event.what:<8}  {in_words(event)}", len(at) + 2)

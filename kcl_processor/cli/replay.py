"""Apply dead letters again: changes that the destination refused, and that were set aside.

Mend the cause on the destination first. A letter is applied only if its key has not changed since:
the source's item must still be what the letter says, and the destination's must not change
meanwhile. Others are settled without a write, for the daemon brings the newer change. What the
destination refuses again stays. The daemon may run.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from kcl_processor.aws import clients
from kcl_processor.aws.credentials import session
from kcl_processor.aws.wire import Endpoint
from kcl_processor.cli.output import print_json
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_task
from kcl_processor.config.render import dead_letters
from kcl_processor.config.task import Side
from kcl_processor.errors import DestinationError, ExitCode, OperatorError, SourceError
from kcl_processor.launch import daemon
from kcl_processor.state.dead_letters import open_place
from kcl_processor.table.replay import ItemTable, Outcome, replay

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
    task = chosen_task(args)
    where = args.place or dead_letters(task, daemon.state_directory(args.state_dir))
    place = open_place(where, task.destination.region)
    source = _items(task.source, SourceError)
    destination = _items(task.destination, DestinationError)
    counts: Counter[Outcome] = Counter()
    for letter in place.letters():
        outcome = replay(letter, source, destination)
        counts[outcome] += 1
        if outcome is Outcome.REFUSED:
            print(f"{letter} is refused again and stays in {where}", file=sys.stderr)
        else:
            place.settle(letter)
    _print(counts, args.json)
    return ExitCode.POISON if counts[Outcome.REFUSED] else ExitCode.OK


def _print(counts: Counter[Outcome], as_json: bool) -> None:
    if as_json:
        print_json({outcome.name.lower(): counts[outcome] for outcome in Outcome})
    else:
        print(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome))


def _items(side: Side, error: type[OperatorError]) -> ItemTable:
    url = str(clients.tables(side).meta.endpoint_url)
    credentials = session(side.region, side.role_arn, side.external_id).get_credentials()
    return ItemTable(side.table, Endpoint(side.region, url, credentials, connections=1), error)

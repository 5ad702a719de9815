"""Show what the rules of a task make of items: before and after, side by side.

The items are of the source, as a scan finds them, or one of yours (--item FILE, - for stdin): in
DynamoDB's JSON, as `aws dynamodb get-item` prints it, or in plain JSON. What is shown is what the
stream, a copy and a comparison make of them; a rule in Python is called as for a copy. Nothing is
written. It prints what items hold.

Exit codes: 0 shown, 1 a rule fails for an item.

example:
  kcl-processor transform orders --sample 5
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kcl_processor.cli.output import Row, print_json, table_lines
from kcl_processor.cli.ranges import whole
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.log import log_to_stderr
from kcl_processor.table.laid_sample import Sample, laid, open_rules, scanned
from kcl_processor.transform.cautions import cautions
from kcl_processor.transform.item_text import read_item
from kcl_processor.transform.transform import Image
from kcl_processor.transform.values import Value
from kcl_processor.words import many

HELP = "show what the rules make of items"

_STDIN = "-"
_SAMPLE = 20
_COLUMNS = ("attribute", "before", "after")
# Of a terminal's width, for the names and the gaps between three columns.
_NAMES = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--sample",
        type=whole(1, 1000),
        metavar="N",
        default=_SAMPLE,
        help=f"so many items of the source (default: {_SAMPLE})",
    )
    which.add_argument("--item", metavar="FILE", help="this item instead")
    parser.add_argument("--json", action="store_true", help="a JSON list, in DynamoDB's JSON")


def run(args: argparse.Namespace) -> int:
    task, clock = chosen_task(args), SystemClock()
    log_to_stderr()
    mine = None if args.item is None else _mine(args.item)
    transform = open_rules(task, lambda line: print(line, file=sys.stderr))
    for caution in cautions(transform):
        print(f"Note: {caution.text}: {caution.why}. Try: {caution.hint}", file=sys.stderr)
    images = scanned(task, args.sample, clock, time.sleep) if mine is None else iter([mine])
    # What a rule in Python prints is no part of the result.
    with contextlib.redirect_stdout(sys.stderr):
        shown = [laid(transform, image) for image in images]
    keys = list(transform.source_keys)
    if args.json:
        print_json([_as_json(one, keys) for one in shown])
    else:
        for one in shown:
            print("\n".join(item_lines(one, keys)), end="\n\n")
    counts = Counter(map(_outcome, shown))
    told = [f"{count} {outcome}" for outcome, count in counts.items()]
    print(f"{many(len(shown), 'item')}: {', '.join(told) or 'none to show'}", file=sys.stderr)
    return ExitCode.CRASH if any(one.fault for one in shown) else ExitCode.OK


def _mine(file: str) -> Image:
    try:
        text = sys.stdin.read() if file == _STDIN else Path(file).read_text(encoding="utf-8")
        return read_item(text)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.", "--item FILE") from error
    except ValueError as error:
        raise ConfigError(
            f"The item in {file} cannot be used: {error}.",
            """--item with a file that holds {"pk": {"S": "a"}} or {"pk": "a"}""",
        ) from error


def _outcome(one: Sample) -> str:
    if one.fault:
        return "for which a rule fails"
    return "not in the replica" if one.after is None else "in the replica"


def _as_json(one: Sample, keys: list[str]) -> Row:
    key = {name: one.before[name] for name in keys}
    return {"key": key, "before": one.before, "after": one.after, "fault": one.fault}


def item_lines(one: Sample, keys: list[str]) -> Iterator[str]:
    """The item's key, and a table of its attributes."""
    yield " ".join(f"{_printable(name)}={_cell(one.before[name])}" for name in keys)
    if one.fault:
        yield f"fails: {one.fault}"
    elif one.after is None:
        yield "not in the replica"
    after = one.after or {}
    yield from table_lines(
        [
            {
                "attribute": _printable(name),
                "before": _cell(one.before.get(name)),
                "after": _cell(after.get(name)),
            }
            for name in sorted({*one.before, *after})
        ],
        _COLUMNS,
    )


def _cell(value: Value | None) -> str | None:
    """A value in few characters: as DynamoDB's JSON, but for texts and numbers."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "N":
        text = str(content)
    else:
        text = json.dumps(content if kind == "S" else value, ensure_ascii=False)
    text, widest = _printable(text), _widest()
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def _widest() -> int:
    """Characters of a value that are shown: on a terminal as many as have room, else all."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    return max(16, (columns - _NAMES) // 2)


def _printable(text: str) -> str:
    """A text that does nothing to a terminal, whatever an item holds."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)

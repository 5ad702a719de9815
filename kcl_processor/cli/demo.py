"""Watch a table being replicated on this machine, killed and resumed. No AWS account needed.

Starts DynamoDB Local, a source and a destination table in two of its regions, and the real daemon;
writes for a while; kills the daemon halfway and starts it again; stops it and compares the tables.
Exit code 0 only if they are equal. Leaves no process and no file behind.

example:
  kcl-processor demo
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.live import Live
from rich.table import Table

from kcl_processor.cli.output import cell
from kcl_processor.cli.progress import LineRate
from kcl_processor.cli.ranges import amount, whole
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.demo.dynamodb_local import dynamodb_local
from kcl_processor.demo.story import RUN_LOG, Demo, Figures, set_apart
from kcl_processor.errors import ExitCode, of_disk
from kcl_processor.launcher.java import find_java
from kcl_processor.words import many

HELP = "watch a replica at work on this machine"

# Seconds between lines where there is no terminal to redraw.
_LINE_INTERVAL = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=amount, default=20.0, metavar="S", help="how long to write (default: 20)"
    )
    parser.add_argument(
        "--items",
        type=whole(1, 1_000_000),
        default=200,
        metavar="N",
        help="items to begin with (default: 200)",
    )
    parser.add_argument("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, PATH)")
    parser.add_argument(
        "--keep-logs", metavar="DIR", type=Path, help="leave the daemon's logs in this folder"
    )


def run(args: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    set_apart(os.environ)
    java, clock = str(find_java(args.java).path), SystemClock()
    with _folder(args.keep_logs) as folder, _view(clock) as show:
        show(Figures())
        with dynamodb_local(clock, time.sleep, java, regions_apart=True) as endpoint:
            demo = Demo(endpoint, folder, java, show, clock, time.sleep)
            figures = demo.run(args.seconds, args.items)
    print(summary(figures))
    return ExitCode.OK if figures.equal() else ExitCode.CRASH


def summary(figures: Figures) -> str:
    """The figures in words, for the end."""
    found = figures.differences
    differ = None if found is None else many(found, "item differs", "items differ")
    equal = "equal" if found == 0 else differ
    rows = {
        "items compared": figures.items,
        "changes": figures.preloaded + figures.changes,
        "first start to first change": _seconds(figures.first_record),
        "kill -9 and start to next change": _seconds(figures.resumed),
        "latency p50": _seconds(figures.latency(50)),
        "latency p99": _seconds(figures.latency(99)),
        "graceful stop, exit code": figures.exit_code,
        "source and destination": equal,
    }
    return "\n".join(f"{name:34}{cell(value)}" for name, value in rows.items())


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    with ExitStack() as left:
        try:
            if kept:
                kept.mkdir(parents=True, exist_ok=True)
            folder = kept or Path(
                left.enter_context(tempfile.TemporaryDirectory(prefix="kcl-processor-demo-"))
            )
            (folder / RUN_LOG).open("ab").close()
        except OSError as error:
            what = f"{kept} cannot" if kept else "No temporary folder can"
            message = f"{what} be written: {error.strerror}."
            raise of_disk(error, message, "--keep-logs with a folder of yours") from error
        yield folder.absolute()


@contextmanager
def _view(clock: Clock) -> Iterator[Callable[[Figures], None]]:
    """Redraw on a terminal; a line for each phase, and now and then, elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Live(console=Console(stderr=True), auto_refresh=False) as live:
            yield lambda figures: live.update(_picture(figures), refresh=True)
    else:
        yield _Lines(clock)


def _picture(figures: Figures) -> Table:
    table = Table(title=f"kcl-processor demo: {figures.phase}", title_justify="left", min_width=78)
    for head in ("writes", "lag now", "lag p50", "restarts"):
        table.add_column(head, justify="right")
    last = figures.latencies[-1] if figures.latencies else None
    table.add_row(
        str(figures.preloaded + figures.changes),
        _seconds(last),
        _seconds(figures.latency(50)),
        str(figures.restarts),
    )
    return table


class _Lines:
    def __init__(self, clock: Clock) -> None:
        self._phase = ""
        self._rate = LineRate(clock, _LINE_INTERVAL)

    def __call__(self, figures: Figures) -> None:
        if not self._rate.is_due() and figures.phase == self._phase:
            return
        self._phase = figures.phase
        written = figures.preloaded + figures.changes
        lag = _seconds(figures.latency(50))
        print(f"{figures.phase}  writes {written}  lag p50 {lag}", file=sys.stderr, flush=True)

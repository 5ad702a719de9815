"""`python -m integration.bench`: measure the daemon, and others beside it, on simulated streams.

Prints each run on stderr and the report on stdout. The folder gets the report as `bench.md`, bars
as `bench.svg` and, of the scenarios many-shards-*, the curve over shards as `shards.svg`.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path

from integration.bench import machine, report
from integration.bench.many import MANY, OVER_SHARDS
from integration.bench.ruled import RULED
from integration.bench.runs import alternate
from integration.bench.scenarios import SCENARIOS
from integration.bench.subject import Subject
from integration.bench.tables import TABLES
from integration.bench.views import VIEWS
from integration.local_tables import database

_ALL = {**SCENARIOS, **RULED, **MANY, **TABLES, **VIEWS}


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    options = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    options.add_argument(
        "scenario",
        nargs="*",
        help=f"of {', '.join(_ALL)} (default: {', '.join(SCENARIOS)})",
        metavar="SCENARIO",
    )
    options.add_argument("--runs", type=int, default=3, help="of each subject (default: 3)")
    options.add_argument("--out", type=Path, default=Path("bench"), metavar="FOLDER")
    options.add_argument(
        "--beside",
        type=Subject.parse,
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="another daemon on the same load; its placeholders: {source_url} {destination_url} "
        "{table} {destination_table} {region} {stream_arn} {task} {folder} {tasks}",
    )
    options.add_argument("--without-ours", action="store_true", help="only what --beside names")
    return options


def main() -> None:
    """Measure and report."""
    args = parser().parse_args()
    # Ended like this, it must still end what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if unknown := set(args.scenario) - _ALL.keys():
        parser().error(f"no such scenario: {', '.join(sorted(unknown))}")
    facts = {**machine.describe(), "command": shlex.join(["scripts/bench", *sys.argv[1:]])}
    facts |= {subject.name: f"`{subject.command}`" for subject in args.beside}
    results: dict[str, report.Subjects] = {}
    bars: dict[str, report.Subjects] = {}
    over: dict[int, report.Subjects] = {}
    with database() as url:
        for name in args.scenario or SCENARIOS:
            scenario = _ALL[name]
            subjects = [] if args.without_ours else [Subject("kcl-processor", scenario.ours)]
            subjects += args.beside
            title = f"{scenario.title}, {scenario.milliseconds} ms to the destination"
            results[title] = alternate(scenario, subjects, args.runs, url, _tell)
            if scenario.shards is None:
                bars[title] = results[title]
            else:
                over[scenario.shards] = results[title]
    args.out.mkdir(parents=True, exist_ok=True)
    text = report.markdown(results, facts)
    (args.out / "bench.md").write_text(text, encoding="utf-8")
    if bars:
        report.bars(bars, args.out / "bench.svg")
    if over:
        report.curves(over, OVER_SHARDS, args.out / "shards.svg")
    print(text, end="")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

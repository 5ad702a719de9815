"""`python -m integration.soak`: random faults on a fleet of daemons, and what was lost.

Each fault is told on stderr as it strikes; the figures go to stdout. The exit code is 0 if nothing
was lost, stale, extra or missed in silence, if everything arrived in time, and if no daemon ended
in a way that no fault asks for. Otherwise the folder with all logs is kept.
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from integration.bench import machine
from integration.soak import run
from integration.soak.fleet import fleet
from integration.soak.report import Report
from integration.soak.strikes import Strikes
from integration.soak.weather import KINDS, plan
from integration.soak.writer import Writer


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    options = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=60.0, help="of faults (default: 60)")
    options.add_argument("--seed", type=int, help="of the plan (default: a new one)")
    options.add_argument("--workers", type=int, default=3, help="in the fleet (default: 3)")
    options.add_argument("--shards", type=int, default=8, help="at the beginning (default: 8)")
    options.add_argument("--rate", type=float, default=100.0, help="changes/s (default: 100)")
    for name, what in (("--only", "these faults"), ("--without", "all but these faults")):
        options.add_argument(name, action="append", default=[], metavar="FAULT", help=what)
    options.add_argument("--list", action="store_true", help="print the kinds of faults, and end")
    options.add_argument("--json", action="store_true", help="the figures as JSON")
    return options


def main() -> int:
    """Soak; return the exit code."""
    args = parser().parse_args()
    if args.list:
        print(*KINDS, sep="\n")
        return 0
    # Ended like this, it must still end what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1_000_000)
    try:
        args.kinds = run.kinds(args.only, args.without)
    except ValueError as error:
        parser().error(str(error))
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    for name, fact in (facts := _facts(args)).items():
        _say(f"{name}: {fact}")
    report = _soak(args, folder)
    whole = {**facts, **report.record()}
    print(json.dumps(whole, indent=2) if args.json else report.text())
    if report.passed:
        shutil.rmtree(folder)
        return 0
    (folder / "report.json").write_text(json.dumps(whole, indent=2), encoding="utf-8")
    _say(f"logs and report.json: {folder}\nTry: {facts['again']}")
    return 1


def _facts(args: argparse.Namespace) -> dict[str, str]:
    words = ["scripts/soak", "--seed", str(args.seed), "--minutes", f"{args.minutes:g}"]
    words += ["--workers", str(args.workers), "--shards", str(args.shards)]
    words += ["--rate", f"{args.rate:g}"]
    for name in ("only", "without"):
        words += [word for kind in getattr(args, name) for word in (f"--{name}", kind)]
    known = machine.describe()
    return {
        "again": shlex.join(words),
        "command": shlex.join(["scripts/soak", *sys.argv[1:]]),
        **{name: known[name] for name in ("machine", "load before", "versions")},
    }


def _soak(args: argparse.Namespace, folder: Path) -> Report:
    began = time.monotonic()

    def tell(text: str) -> None:
        _say(f"{time.monotonic() - began:7.1f} s  {text}")

    names = [f"worker-{number}" for number in range(1, args.workers + 1)]
    options = {"lineages": args.shards, "preload": 1000}
    seconds = args.minutes * 60
    events = plan(args.seed, seconds, args.workers, args.kinds)
    with fleet(folder, names, args.seed, tell, **options) as soaked:
        soaked.start()
        began = time.monotonic()
        writer = Writer(soaked.simulator, args.rate, random.Random(args.seed), time.monotonic)
        strikes = Strikes(soaked, args.shards)
        return run.Soak(soaked, strikes, writer, seconds, tell).run(events)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

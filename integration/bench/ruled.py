"""What rules cost a shard: the load of `one-shard`, through rules that leave keys and versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from integration.bench.scenarios import DEADLINE, SCENARIOS, Bench, Figures, Scenario
from integration.bench.subject import of_task

_PLAIN = SCENARIOS["one-shard"]


def _throughput(bench: Bench) -> Figures:
    """A backlog; the items are to differ, so the judge's versions say what has arrived."""
    bench.until(lambda: not bench.simulator.status()["behind"], "every change", every=1.0)
    verdict = bench.simulator.settle(DEADLINE)
    seconds = verdict["last_write"] - verdict["first_write"]
    return {"changes/s": bench.simulator.status()["changes"] / seconds, **bench.used()}


def _with(rules: dict[str, Any]) -> Callable[[Path], None]:
    def write(tasks: Path) -> None:
        settings = json.loads(tasks.read_text(encoding="utf-8"))
        for task in settings["tasks"].values():
            task["transform"] = rules
        tasks.write_text(json.dumps(settings), encoding="utf-8")

    return write


def _scenario(what: str, rules: dict[str, Any]) -> Scenario:
    return Scenario(
        f"{_PLAIN.title}, {what}",
        _PLAIN.load,
        _PLAIN.milliseconds,
        _throughput,
        ours=of_task("run --log-dir {folder}"),
        before=_with(rules),
    )


RULED = {
    "exclude-rename": _scenario(
        "exclude and rename", {"exclude": ["blob", "flag"], "rename": {"sum": "amount"}}
    ),
    # Every item passes, and the old image of each is read.
    "where-set": _scenario(
        "where and set",
        {"where": "ver > `0` && text != 'draft'", "set": {"origin": "'us'", "total": "amount"}},
    ),
}

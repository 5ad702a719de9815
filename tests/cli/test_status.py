"""`status` in words and exit codes."""

from __future__ import annotations

import json
from dataclasses import replace

from kcl_processor.cli.status import exit_code, lines
from kcl_processor.errors import OperatorError
from kcl_processor.launch.proof import Standing
from kcl_processor.operate.status import UNKNOWN, WARN, Status, summarise
from tests.cli.ask import Ask
from tests.kcl_tables import GOLDEN
from tests.sights import CLOCK, HOUR, beat, sight, view


def test_a_task_that_never_ran_is_new(ask: Ask) -> None:
    """Exit code 3, as for one that is stopped."""
    code, said, _ = ask("status", "--json")
    assert code == 3 and json.loads(said)[0]["state"] == "new"


def test_exit_codes_tell_the_worst() -> None:
    """Critical before stopped before unknown."""
    running, stopped = summarise(sight(view())), summarise(sight(live=[]))
    critical, unknown = summarise(sight(view(state="gap"))), Status("x", UNKNOWN, WARN)
    assert exit_code([running]) == 0
    blind = summarise(sight(view(), unseen=OperatorError("the stream is away.", "wait")))
    assert exit_code([running, unknown]) == 4
    assert exit_code([running, blind]) == 4, "it may have come to the end of the stream's day"
    assert exit_code([unknown, stopped]) == 3
    assert exit_code([stopped, critical]) == 1


def test_the_table_looks_as_kept() -> None:
    """A golden file of a good task, a late one and an unknown one, the worst first; colours only if
    asked for."""
    heartbeats = {"shardId-1": beat("shardId-1", rate_in=30.7, rate_out=31.6)}
    good, bad = Standing(8, CLOCK.now() - 4000), Standing(8, None, differences=1)
    seen = [
        summarise(sight(view(lag=4.0), heartbeats=heartbeats, proof=good)),
        replace(summarise(sight(view(lag=7 * HOUR), view("b", "dead"), proof=bad)), task="late"),
        Status("lost", UNKNOWN, WARN, reasons=("The table cannot be read. Try: again",)),
    ]
    assert "\n".join(lines(seen, colours=False)) + "\n" == (GOLDEN / "status.txt").read_text()
    coloured = lines(seen, colours=True)
    assert "\x1b" not in coloured[3] and coloured[2].startswith("\x1b[33m")

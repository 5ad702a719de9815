"""A soak from its first daemon to its verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from integration.soak.fleet import Fleet
from integration.soak.judge import judge
from integration.soak.report import Report, ends
from integration.soak.strikes import Strikes
from integration.soak.supervisor import Tell
from integration.soak.weather import KINDS, Event
from integration.soak.writer import Writer
from integration.until import until

# Seconds after the last fault in which everything must have arrived.
WHOLE_SECONDS = 180.0


class Soak:
    """Faults at work on a fleet.

    Args:
        seconds: how long the faults go on.
    """

    def __init__(
        self, fleet: Fleet, strikes: Strikes, writer: Writer, seconds: float, tell: Tell
    ) -> None:
        self._fleet, self._strikes, self._writer = fleet, strikes, writer
        self._seconds = seconds
        self._tell = tell
        self._began = 0.0
        self._to_come: list[Event] = []

    def run(self, events: Sequence[Event]) -> Report:
        """Soak the fleet that has been started, let it come to rest, and judge."""
        self._to_come = list(events)
        self._began = time.monotonic()
        until(self._step, "the plan is over", self._seconds + WHOLE_SECONDS, every=0.1)
        self._writer.stop()
        whole_after = self._rest()
        wrong = self._fleet.stop()
        return self._report(Counter(event.kind for event in events), whole_after, wrong)

    def _step(self) -> bool:
        """Do what is due; return whether the plan is over."""
        now = time.monotonic() - self._began
        for event in [e for e in self._strikes.active if e.at + e.seconds <= now]:
            self._strikes.end(event)
        while self._to_come and self._to_come[0].at <= now:
            event = self._to_come.pop(0)
            lasts = f" for {event.seconds:.1f} s" if event.seconds else ""
            self._tell(f"{event.kind}{lasts}: {self._strikes.begin(event)}")
        self._fleet.look()
        self._writer.look()
        return now >= self._seconds and not self._strikes.active

    def _rest(self) -> float | None:
        def whole() -> bool:
            self._fleet.look()
            return judge(self._fleet.simulator.differences(), self._fleet.gaps()).clean

        with suppress(TimeoutError):
            return until(whole, "everything arrives", WHOLE_SECONDS, every=1.0)
        return None

    def _report(
        self, faults: Counter[str], whole_after: float | None, wrong: Sequence[str]
    ) -> Report:
        status, measured = self._fleet.simulator.status(), self._fleet.simulator.verdict()
        endings, gaps = self._fleet.endings(), self._fleet.gaps()
        return Report(
            faults=dict(faults),
            changes=status["changes"],
            keys=status["keys"],
            endings=ends(endings),
            verdict=judge(self._fleet.simulator.differences(), gaps),
            gaps_made=status["gaps"],
            gaps_told=len(gaps),
            old_writes=measured["stale"] + measured["regressed"],
            replayed=measured["replay"] + measured["repeat"],
            longest_lag=(measured["latency_ms"]["max"] or 0.0) / 1000,
            whole_after=whole_after,
            findings=[*(e.finding for e in endings if e.finding), *wrong],
        )


def kinds(only: Sequence[str], without: Sequence[str]) -> list[str]:
    """The kinds of faults that are wanted. Raises ValueError for one that is none."""
    if unknown := {*only, *without} - KINDS.keys():
        raise ValueError(f"no such fault: {', '.join(sorted(unknown))}; of {', '.join(KINDS)}")
    return [name for name in only or KINDS if name not in without]

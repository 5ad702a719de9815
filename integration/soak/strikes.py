"""Faults of a plan, made to happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from integration.soak.fleet import Fleet
from integration.soak.supervisor import Supervisor
from integration.soak.weather import KINDS, Event, Place
from integration.worker import Worker

# Trimmed are changes older than this many seconds: a fleet that is well has read them.
_READ_BY_NOW = 3.0


class Strikes:
    """What is going on in a fleet.

    Args:
        lineages: chains of shards at the beginning.
    """

    def __init__(self, fleet: Fleet, lineages: int) -> None:
        self._fleet = fleet
        self._lineages = lineages
        # Faults that have begun and not ended.
        self.active: list[Event] = []
        self._asleep: dict[Event, list[psutil.Process]] = {}

    def begin(self, event: Event) -> str:
        """Begin a fault; return what it met, in words."""
        self.active.append(event)
        place = KINDS[event.kind].place
        if place is Place.WORKER:
            return self._strike_worker(event)
        if place is Place.STREAM:
            return self._strike_stream(event)
        if event.kind == "leases-away":
            self._fleet.gateways[event.worker].away(event.seconds)
        elif event.kind == "destination-away":
            outage = {"endpoint": "destination", "seconds": event.seconds}
            self._fleet.simulator.control(outage=outage)
        elif event.kind == "trim-away":
            self._fleet.simulator.control(rollover=None)
        self._set_rules()
        return f"strength {event.strength:.1f}"

    def end(self, event: Event) -> None:
        """End a fault."""
        self.active.remove(event)
        if event.kind.startswith("trim-"):
            wanted = {"seconds": _READ_BY_NOW, "expire": True}
            self._fleet.simulator.control(trim=wanted)
        for process in self._asleep.pop(event, []):
            with suppress(psutil.Error):
                process.resume()
        self._set_rules()

    def _set_rules(self) -> None:
        self._fleet.simulator.faults(
            source=self._rules(Place.SOURCE), destination=self._rules(Place.DESTINATION)
        )
        for number, gateway in enumerate(self._fleet.gateways):
            gateway.faults(self._rules(Place.LEASES, number))

    def _rules(self, place: Place, worker: int | None = None) -> list[dict[str, object]]:
        return [
            rule.at(event.strength)
            for event in self.active
            if KINDS[event.kind].place is place and worker in (None, event.worker)
            for rule in KINDS[event.kind].rules
        ]

    def _strike_stream(self, event: Event) -> str:
        lineage = None if event.kind == "rollover" else int(event.which * self._lineages)
        # Lineages never join again: a long soak would end in very many shards.
        crowded = self._fleet.simulator.status()["open_shards"] >= 2 * self._lineages
        action = "split" if event.kind == "split" and not crowded else "rollover"
        opened = self._fleet.simulator.control(**{action: lineage})[action]
        return f"{action} into {len(opened)} shards"

    def _strike_worker(self, event: Event) -> str:
        supervisor = self._fleet.supervisors[event.worker]
        worker = supervisor.worker
        if not worker.running():
            return f"{worker.name} is down"
        what, _, whom = event.kind.partition("-")
        if what == "stop":
            supervisor.stop()
        elif what == "kill":
            return _kill(supervisor, event, whom)
        else:
            victims = _members(worker, "host" if what == "trim" else whom, event.which)
            self._asleep[event] = victims
            return f"{worker.name}: {_each(victims, psutil.Process.suspend)} asleep"
        return worker.name


def _kill(supervisor: Supervisor, event: Event, whom: str) -> str:
    victims = _members(supervisor.worker, whom, event.which)
    if victims:
        supervisor.expect_end(event.kind)
    return f"{supervisor.worker.name}: {_each(victims, psutil.Process.kill)} killed"


def _members(worker: Worker, whom: str, which: float) -> list[psutil.Process]:
    """The processes of a worker: the daemon, one of its children, or all as its `host`."""
    children = worker.children()
    if whom == "child":
        return children[int(which * len(children)) :][:1]
    return worker.host()[-1:] if whom == "daemon" else worker.host()


def _each(processes: Sequence[psutil.Process], act: Callable[[psutil.Process], object]) -> str:
    for process in processes:
        with suppress(psutil.Error):
            act(process)
    return f"{len(processes)} process{'' if len(processes) == 1 else 'es'}"

"""Runs of subjects on scenarios, in turns, and the spread of their figures."""

from __future__ import annotations

import statistics
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from integration import task_file
from integration.background import repeating
from integration.bench.scenarios import Bench, Figures, Scenario
from integration.bench.subject import Subject
from integration.bench.usage import Usage
from integration.simulator.client import SimulatorProcess


@dataclass(frozen=True)
class Spread:
    """A figure over all runs."""

    low: float
    median: float
    high: float


def run(scenario: Scenario, subject: Subject, behind: str) -> Figures:
    """Measure a subject once; `behind` is the URL of the lease tables.

    Raises RuntimeError if the subject ends or leaves the two tables unequal, TimeoutError if it
    hangs.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        SimulatorProcess(behind=behind, identify_processes=False, **scenario.load) as simulator,
    ):
        task, tasks = f"bench-{uuid.uuid4().hex[:8]}", Path(name) / "tasks.yml"
        task_file.write(tasks, task, task_file.simulated(simulator, behind))
        scenario.before(tasks)
        simulator.faults(_late(scenario.source_milliseconds), _late(scenario.milliseconds))
        with subject.worker(simulator, task, tasks) as worker:
            usage = Usage(worker)
            with repeating(usage.sample, scenario.look):
                return scenario.measure(Bench(simulator, worker, usage))


def _late(milliseconds: int) -> list[dict[str, object]]:
    return [{"kind": "latency", "milliseconds": milliseconds}] if milliseconds else []


def alternate(
    scenario: Scenario,
    subjects: Sequence[Subject],
    runs: int,
    behind: str,
    tell: Callable[[str], None],
) -> dict[str, dict[str, Spread]]:
    """Run each subject in turn, `runs` times, so that a slow minute of the machine hits all.

    Returns the spread of each figure by subject; a subject that failed has none.
    """
    measured: dict[str, list[Figures]] = {subject.name: [] for subject in subjects}
    for number in range(runs):
        for subject in subjects:
            try:
                figures = run(scenario, subject, behind)
            except (RuntimeError, TimeoutError) as error:
                tell(f"{scenario.title}, {subject.name}, run {number + 1}: failed: {error}")
                continue
            measured[subject.name].append(figures)
            said = ", ".join(f"{name} {value:,.1f}" for name, value in figures.items())
            tell(f"{scenario.title}, {subject.name}, run {number + 1}: {said}")
    return {name: spread(figures) for name, figures in measured.items()}


def spread(figures: Sequence[Figures]) -> dict[str, Spread]:
    """Return low, median and high of each figure."""
    names = figures[0] if figures else []
    return {
        name: Spread(
            min(f[name] for f in figures),
            statistics.median(f[name] for f in figures),
            max(f[name] for f in figures),
        )
        for name in names
    }

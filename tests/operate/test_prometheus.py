"""The Prometheus exporter: this host's heartbeats in the exposition format."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

prometheus_client = pytest.importorskip("prometheus_client")

from kcl_processor.config.paths import TaskFiles  # noqa: E402
from kcl_processor.config.task import Task, with_worker  # noqa: E402
from kcl_processor.errors import OperatorError  # noqa: E402
from kcl_processor.fleet.limit import Limit  # noqa: E402
from kcl_processor.fleet.pause import Pause  # noqa: E402
from kcl_processor.fleet.throttle import Throttled  # noqa: E402
from kcl_processor.launch.daemon import lock_worker  # noqa: E402
from kcl_processor.launch.proof import Standing  # noqa: E402
from kcl_processor.launch.switch_mark import SwitchMark  # noqa: E402
from kcl_processor.operate.asked import Asked  # noqa: E402
from kcl_processor.operate.prometheus import HeartbeatCollector, Standings  # noqa: E402
from kcl_processor.operate.series import EVERY, LATENCY, WRITTEN  # noqa: E402
from kcl_processor.replicate.figures import ShardFigures  # noqa: E402
from kcl_processor.state.heartbeat import LATENCY_BOUNDS, Counts, write_heartbeat  # noqa: E402
from tests.fakes import Beside, HandClock  # noqa: E402
from tests.kcl_tables import make_task  # noqa: E402


def page(tasks: list[Task], state: Path, clock: HandClock) -> list[str]:
    """One scrape, without proofs."""
    return scrape(tasks, state, clock, Asked([], clock, Beside(), lambda _: None))


def scrape(
    tasks: list[Task],
    state: Path,
    clock: HandClock,
    proofs: Asked[Standing],
    switches: Asked[SwitchMark] | None = None,
    limits: Asked[Limit] | None = None,
    pauses: Asked[list[Pause]] | None = None,
    throttled: Asked[list[Throttled]] | None = None,
) -> list[str]:
    registry = prometheus_client.CollectorRegistry(auto_describe=False)
    files = [TaskFiles(task, state) for task in tasks]
    standings = Standings(
        proofs,
        switches or Asked([], clock, Beside(), lambda _: None),
        limits or Asked([], clock, Beside(), lambda _: None),
        pauses or Asked([], clock, Beside(), lambda _: None),
        throttled or Asked([], clock, Beside(), lambda _: None),
    )
    registry.register(HeartbeatCollector(files, clock, standings))
    text: str = prometheus_client.generate_latest(registry).decode()
    return text.splitlines()


def test_every_record_processor_of_every_task_is_there(tmp_path: Path) -> None:
    """Counters, latency and how long ago each applied a delivery, by task, shard and worker."""
    clock, tasks = HandClock(), [make_task(), make_task()]
    for task in tasks:
        beat = ShardFigures(task.name, "s-1", "w", clock).heartbeat()
        counted = replace(
            beat,
            counts=Counts(written=7, retried=2),
            polled_at=clock.now() - 3,
            behind_ms=1500,
            latency_count=4,
            latency_ms=2000.0,
            latency_buckets=[1] * (len(LATENCY_BOUNDS) - 1) + [4],
        )
        write_heartbeat(TaskFiles(task, tmp_path).heartbeats, counted)
    lines = page(tasks, tmp_path, clock)
    for task in tasks:
        labels = f'{{shard="s-1",task="{task.name}",worker="w"}}'
        alternative = f'{{task="{task.name}",shard="s-1",worker="w"}}'

        def shown(
            name: str, value: float, labels: str = labels, alternative: str = alternative
        ) -> set[str]:
            return {f"{name}{labels} {value}", f"{name}{alternative} {value}"} & set(lines)

        assert shown("kcl_processor_records_written_total", 7.0)
        assert shown("kcl_processor_idle_seconds", 3.0)
        assert shown("kcl_processor_behind_seconds", 1.5)
        assert shown("kcl_processor_replication_latency_seconds_sum", 2.0)
        assert f'kcl_processor_up{{task="{task.name}"}} 0.0' in lines


def test_a_stopped_task_shows_that_it_is_down(tmp_path: Path) -> None:
    """No heartbeats, no series of shards, but the task itself."""
    lines = page([make_task()], tmp_path, HandClock())
    assert not [line for line in lines if line.startswith("kcl_processor_records")]
    assert [line for line in lines if line.startswith("kcl_processor_up{")]


def test_a_worker_under_an_id_of_its_own_is_up(tmp_path: Path) -> None:
    """A second worker of a task on this host is a daemon of the task; its figures are shown."""
    task, clock = make_task(), HandClock()
    second = TaskFiles(with_worker(task, "w2", "a test"), tmp_path)
    beat = ShardFigures(task.name, "s-1", "w2", clock).heartbeat()
    write_heartbeat(second.heartbeats, beat)
    with lock_worker(second.task):
        lines = page([task], tmp_path, clock)
    assert f'kcl_processor_up{{task="{task.name}"}} 1.0' in lines
    assert any('worker="w2"' in line for line in lines)


def test_proofs_are_looked_at_beside_the_scrapes(tmp_path: Path) -> None:
    """A scrape shows what was found last; the age grows with the clock, and a look is a minute."""
    clock, task, pool = HandClock(), make_task(), Beside()
    standings = [Standing(8, clock.now() - 30), Standing(8, None, differences=2)]
    proofs = Asked([task], clock, pool, lambda _: standings.pop(0))

    def shown() -> dict[str, float]:
        labels = f'{{task="{task.name}"}} '
        lines = scrape([task], tmp_path, clock, proofs)
        pairs = [line.split(labels) for line in lines if labels in line]
        return {name: float(value) for name, value in pairs if "_up" not in name}

    assert shown() == {}
    assert pool.do() == 1
    found = {"kcl_processor_proven_seconds": 30.0, "kcl_processor_open_differences": 0.0}
    assert shown() == found
    clock.turn(30)
    assert shown() == found | {"kcl_processor_proven_seconds": 60.0}
    assert pool.do() == 0
    clock.turn(31)
    shown()
    assert pool.do() == 1
    assert shown() == {"kcl_processor_open_differences": 2.0}


def test_what_is_served_is_what_the_list_says(tmp_path: Path) -> None:
    """Each series of the list is in the exporter's page, and no other family of ours."""
    task, clock, pool = make_task(), HandClock(), Beside()
    beat = replace(ShardFigures(task.name, "s-1", "w", clock).heartbeat(), behind_ms=0)
    write_heartbeat(TaskFiles(task, tmp_path).heartbeats, beat)
    proofs = Asked([task], clock, pool, lambda _: Standing(8, clock.now()))
    mark = SwitchMark.begun("t", clock.now())
    switches = Asked([task], clock, pool, lambda _: mark)
    limits = Asked([task], clock, pool, lambda _: Limit(5, "me", clock.now()))
    pauses = Asked([task], clock, pool, lambda _: [Pause(None, "me", clock.now())])
    throttled = Asked([task], clock, pool, lambda _: [Throttled("w", "alarm a", clock.now())])
    asked = (proofs, switches, limits, pauses, throttled)
    scrape([task], tmp_path, clock, *asked)
    pool.do()
    lines = scrape([task], tmp_path, clock, *asked)
    served = {line.partition("{")[0] for line in lines if not line.startswith("#")}
    assert {str(series) for series in EVERY} <= served
    families = {re.sub("_(total|bucket|sum|count|created)$", "", name) for name in served}
    assert families == {series.family for series in EVERY}


def test_an_earlier_versions_record_processor_has_no_buckets(tmp_path: Path) -> None:
    """While a fleet is being renewed; all else of it is shown."""
    task, clock = make_task(), HandClock()
    beat = ShardFigures(task.name, "s-1", "w", clock).heartbeat()
    write_heartbeat(TaskFiles(task, tmp_path).heartbeats, replace(beat, latency_buckets=None))
    lines = page([task], tmp_path, clock)
    assert not any(line.startswith(f"{LATENCY}{{") for line in lines)
    assert any(line.startswith(f"{WRITTEN}{{") for line in lines)


def test_a_proof_that_cannot_be_read_has_no_series(tmp_path: Path) -> None:
    """Those of the other tasks are there, and so is everything else."""
    clock, tasks, pool = HandClock(), [make_task(), make_task()], Beside()

    def read(task: Task) -> Standing:
        if task is tasks[0]:
            raise OperatorError("denied", "allow it")
        return Standing(8, None, void="the rules are others")

    proofs = Asked(tasks, clock, pool, read)
    scrape(tasks, tmp_path, clock, proofs)
    pool.do()
    lines = scrape(tasks, tmp_path, clock, proofs)
    assert sum(line.startswith("kcl_processor_up{") for line in lines) == 2
    assert not [line for line in lines if line.startswith("kcl_processor_proven_seconds{")]
    assert not [line for line in lines if line.startswith("kcl_processor_open_differences{")]


def test_a_switchover_is_shown_until_it_is_taken_back(tmp_path: Path) -> None:
    """How long it stands already, by how far it is."""
    clock, task, pool = HandClock(), make_task(), Beside()
    marks: list[SwitchMark | None] = [SwitchMark.begun("t", clock.now() - 90), None]
    none = Asked[Standing]([], clock, Beside(), lambda _: None)
    switches = Asked([task], clock, pool, lambda _: marks.pop(0))

    def shown() -> list[str]:
        lines = scrape([task], tmp_path, clock, none, switches)
        return [one for one in lines if one.startswith("kcl_processor_switchover_seconds{")]

    assert shown() == []
    pool.do()
    (line,) = shown()
    assert 'state="begun"' in line and line.endswith(" 90.0")
    clock.turn(61)
    shown()
    pool.do()
    assert shown() == []


def test_a_limit_is_shown_with_those_that_wait_for_it(tmp_path: Path) -> None:
    """A task without one has no series of it."""
    clock, pool, tasks = HandClock(), Beside(), [make_task(), make_task()]
    found = {tasks[0].name: Limit(50.0, "root@a", 0.0, waiting=3)}
    limits = Asked(tasks, clock, pool, lambda task: found.get(task.name))
    none = Asked[Standing]([], clock, Beside(), lambda _: None)
    scrape(tasks, tmp_path, clock, none, limits=limits)
    pool.do()
    lines = scrape(tasks, tmp_path, clock, none, limits=limits)
    assert [line for line in lines if line.startswith("kcl_processor_limit_")] == [
        f'kcl_processor_limit_wcu{{task="{tasks[0].name}"}} 50.0',
        f'kcl_processor_limit_waiting_shards{{task="{tasks[0].name}"}} 3.0',
    ]


def test_what_is_held_back_is_shown_until_it_goes_on(tmp_path: Path) -> None:
    """A pause of the task has no shard; one of a shard, and a throttled worker, have a name."""
    clock, pool, task = HandClock(), Beside(), make_task()
    at = clock.now() - 40
    found = [[Pause(None, "root@a", at), Pause("s-1", "root@a", at - 1)], []]
    pauses = Asked([task], clock, pool, lambda _: found.pop(0))
    throttled = Asked([task], clock, pool, lambda _: [Throttled("w", "alarm a", at + 30)])
    none = Asked[Standing]([], clock, Beside(), lambda _: None)

    def shown(name: str) -> dict[str, float]:
        lines = scrape([task], tmp_path, clock, none, pauses=pauses, throttled=throttled)
        pairs = [re.fullmatch(rf"kcl_processor_{name}_seconds{{(.*)}} (.*)", one) for one in lines]
        return {pair[1]: float(pair[2]) for pair in pairs if pair}

    assert shown("paused") == shown("throttled") == {}
    pool.do()
    assert {label for label in shown("paused") if 'shard=""' in label}
    assert sorted(shown("paused").values()) == [40.0, 41.0]
    ((worker, seconds),) = shown("throttled").items()
    assert 'worker="w"' in worker and seconds == 10.0
    clock.turn(61)
    shown("paused")
    pool.do()
    assert shown("paused") == {}

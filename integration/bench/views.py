"""What an operator asks of many shards: commands on the tables of a fleet, which is made up.

512 shards are at work, with everything read, and 3,072 that six rollovers left are read to their
end. Four workers say that they renew their leases; no daemon runs.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from integration.background import repeating
from integration.bench.scenarios import DEADLINE, Bench, Figures, Scenario
from integration.bench.subject import of_task
from integration.bench.tables import cpu_of_ended
from integration.clients import Client, client
from integration.credentials import environment
from integration.until import until
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.fleet.coordinator import BEAT_AT, HELD, PRESENCE, UNRENEWED
from kcl_processor.fleet.kcl_tables import make_kcl_tables, table_names
from kcl_processor.launch.identity import Identity, write_claim
from kcl_processor.launch.preflight import check_destination, check_source
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.state.heartbeat import write_heartbeat

# Seconds between two signs of life.
_BEAT = 2.5
_SHARDS, _ROLLOVERS, _WORKERS = 512, 6, 4

Row = dict[str, dict[str, Any]]


class _Fleet:
    """The fleet of one run.

    Args:
        here: whether all its record processors are on this host.
    """

    def __init__(self, *, here: bool) -> None:
        self._here = here
        self.beat: Callable[[], None] = lambda: None

    def make(self, tasks: Path) -> None:
        task, tables, leases = _made(tasks)
        folder = TaskFiles(task, tasks.parent / "state").heartbeats
        at_work = [row for row in leases if row["checkpoint"]["S"] != "SHARD_END"]

        def beat() -> None:
            if self._here:
                _leave_heartbeats(task, folder, at_work)
            _say_that_they_renew(task, tables)

        beat()
        self.beat = beat


def _leave_heartbeats(task: Task, folder: Path, leases: Iterable[Row]) -> None:
    now = time.time()
    for row in leases:
        shard, worker = row["leaseKey"]["S"], row["leaseOwner"]["S"]
        beat = ShardFigures(task.name, shard, worker, SystemClock()).heartbeat()
        read = replace(beat, polled_at=now, behind_ms=0, created_ms=int(1000 * now))
        write_heartbeat(folder, read)


def _made(tasks: Path) -> tuple[Task, Client, list[Row]]:
    os.environ.update(environment())
    (task,) = load_tasks(tasks)
    for _ in range(_ROLLOVERS):
        _control(task, rollover=None)
    _control(task, write=20 * _SHARDS)
    make_kcl_tables(task)
    facts = check_source(task.source)
    found, _ = check_destination(task, facts.keys, facts.table)
    write_claim(task, None, Identity(facts.table, facts.stream_arn, found))
    leases = _leases(task, facts.stream_arn)
    tables = client("dynamodb", str(task.kcl.endpoint), task.kcl.region)
    _put(tables, table_names(task).leases, leases)
    return task, tables, leases


def _control(task: Task, **actions: object) -> None:
    url = f"{task.source.endpoint}/_control"
    with urllib.request.urlopen(url, json.dumps(actions).encode(), timeout=60) as answer:
        answer.read()


def _leases(task: Task, arn: str) -> list[Row]:
    """A lease of each shard, as KCL writes it; an open one's checkpoint is its last change."""
    streams = client("dynamodbstreams", str(task.source.endpoint), task.source.region)
    shards = list(_shards(streams, arn))
    child = {shard["ParentShardId"]: shard["ShardId"] for shard in shards if _parent(shard)}

    def row(numbered: tuple[int, dict[str, Any]]) -> Row:
        number, shard = numbered
        name = shard["ShardId"]
        ended = name in child
        made: Row = {
            "leaseKey": {"S": name},
            "leaseOwner": {"S": f"worker-{number % _WORKERS}"},
            "leaseCounter": _number(15),
            "checkpoint": {"S": "SHARD_END" if ended else _last_change(streams, arn, shard)},
            "ownerSwitchesSinceCheckpoint": _number(0),
            "checkpointSubSequenceNumber": _number(0),
            "throughputKBps": {"N": "29.24047"},
            "startingHashKey": {"S": "0"},
            "endingHashKey": {"S": "1"},
        }
        if ended:
            made["childShardIds"] = {"SS": [child[name]]}
        if _parent(shard):
            made["parentShardId"] = {"SS": [_parent(shard)]}
        return made

    return list(map(row, enumerate(shards)))


def _shards(streams: Client, arn: str) -> Iterator[dict[str, Any]]:
    start: dict[str, str] = {}
    while True:
        page = streams.describe_stream(StreamArn=arn, **start)["StreamDescription"]
        yield from page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}


def _parent(shard: dict[str, Any]) -> str | None:
    return shard.get("ParentShardId")


def _last_change(streams: Client, arn: str, shard: dict[str, Any]) -> str:
    found = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    records = streams.get_records(ShardIterator=found["ShardIterator"])["Records"]
    if not records:
        return str(shard["SequenceNumberRange"]["StartingSequenceNumber"])
    return str(records[-1]["dynamodb"]["SequenceNumber"])


def _say_that_they_renew(task: Task, tables: Client) -> None:
    names, now = table_names(task), time.time()
    workers = [f"worker-{number}" for number in range(_WORKERS)]
    reports = [{"wid": {"S": worker}, "lut": _number(int(now))} for worker in workers]
    _put(tables, names.workers, reports)
    _put(
        tables,
        names.coordinator,
        [
            {
                "key": {"S": f"{PRESENCE}{worker}"},
                "version": {"S": str(uuid.uuid4())},
                HELD: _number(_SHARDS // _WORKERS),
                UNRENEWED: _number(1000),
                BEAT_AT: _number(int(1000 * now)),
            }
            for worker in workers
        ],
    )


def _put(tables: Client, name: str, rows: Iterable[Row]) -> None:
    requests = [{"PutRequest": {"Item": row}} for row in rows]
    parts = [requests[at : at + 25] for at in range(0, len(requests), 25)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda part: tables.batch_write_item(RequestItems={name: part}), parts))


def _number(value: float) -> dict[str, str]:
    return {"N": str(value)}


def _to_its_end(bench: Bench, beat: Callable[[], None]) -> Figures:
    """One call of a command, from its start to its end."""
    calls, cpu = _calls(bench), cpu_of_ended()
    with repeating(beat, _BEAT):
        until(lambda: not bench.subject.running(), "its end", DEADLINE, every=0.01)
        seconds = time.time() - bench.started
    code = bench.subject.wait()
    if code:
        raise RuntimeError(f"ended with {code}: {bench.subject.log()[-500:]}")
    return {"seconds": seconds, "CPU, s": cpu_of_ended() - cpu, "calls": _calls(bench) - calls}


def _calls(bench: Bench) -> float:
    counts = bench.simulator.status()["source"]["calls"]
    return float(sum(count for name, count in counts.items() if name != "records"))


def _scrape(bench: Bench, _: Callable[[], None]) -> Figures:
    """A scrape of an exporter that was scraped before."""
    pages: list[bytes] = []

    def scraped() -> bool:
        pages.extend(_read(url) for url in _urls(bench.subject.log()))
        return bool(pages)

    bench.until(scraped, "the first scrape")
    (url,) = _urls(bench.subject.log())
    began = time.time()
    page = _read(url)
    return {"seconds": time.time() - began, "lines": float(len(page.splitlines()))}


def _urls(text: str) -> list[str]:
    return re.findall(r"http://\S+/metrics", text)


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        page: bytes = answer.read()
    return page


def _view(
    command: str,
    measure: Callable[[Bench, Callable[[], None]], Figures] = _to_its_end,
    *,
    here: bool = True,
) -> Scenario:
    fleet = _Fleet(here=here)
    where = "here" if here else "elsewhere"
    return Scenario(
        f"`{command}` at {_SHARDS} shards at work {where} and {_SHARDS * _ROLLOVERS:,} ended ones",
        {"lineages": _SHARDS},
        0,
        lambda bench: measure(bench, fleet.beat),
        of_task(command),
        before=fleet.make,
    )


VIEWS = {
    "leases": _view("leases"),
    "leases-elsewhere": _view("leases", here=False),
    "status": _view("status"),
    "status-elsewhere": _view("status", here=False),
    "exporter": _view("exporter --port 0", _scrape),
}

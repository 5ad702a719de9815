"""What stands in files and rows may be anything: it is taken, passed over or refused in words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import OperatorError
from kcl_processor.fleet import coordinator
from kcl_processor.fleet.leases import KclRows, lease
from kcl_processor.fleet.stream import Look
from kcl_processor.operate.endings import words
from kcl_processor.operate.health import local_problems, problems
from kcl_processor.operate.lineage import join, tree, unfinished, unleased
from kcl_processor.operate.status import summarise
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.state.dead_letters import LetterFile
from kcl_processor.state.ending import read_ending
from kcl_processor.state.gaps import open_gaps
from kcl_processor.state.heartbeat import read_heartbeats, write_heartbeat
from kcl_processor.state.owner import owned_files
from kcl_processor.state.restarts import pause_before_start
from tests.fakes import HandClock
from tests.kcl_tables import make_task, shards_of, snapshot
from tests.sights import sight, view

CLOCK = HandClock()
TASK = make_task()
FULL = """
tasks:
  orders:
    source: {region: us-east-1, table: orders, endpoint: "http://a", streams_endpoint: "http://a",
             profile: p, role_arn: "arn:aws:iam::111122223333:role/r", external_id: x,
             session_name: name}
    destination: {region: us-west-2, table: orders, roles: [{role_arn: "arn:aws:iam::1:role/r"}]}
    kcl: {region: us-east-1, application_name: app, worker_id: w,
          properties: {failoverTimeMillis: 10000}}
    metrics: {publish: true, region: us-east-1}
    batch_size: 10
    checkpoint_seconds: 5
    on_poison: dead-letter
    dead_letters: {queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/l", profile: p}
    on_gap: stop
    unread_seconds: 60
    ttl_deletes: skip
    transform: {where: "a == 'b'", exclude: [a], rename: {b: c}, set: {d: "a"}, python: "m:f"}
"""

# What JSON and YAML can hold, with what is hard to compute with among it.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=9),
    st.sampled_from(["", " ", "\0", "é", "1e999", "NaN", "~", "-1", "9" * 400, "../..", "a:b"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
Path_ = tuple[str | int, ...]


def places(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document, the whole of it among them."""
    yield here
    inside = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else inside:
        yield from places(inner, (*here, key))


def spoilt(document: Any, place: Path_, other: Any) -> Any:
    """A document with something else in one place."""
    if not place:
        return other
    key, *rest = place
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    changed = {k: spoilt(v, tuple(rest), other) if k == key else v for k, v in pairs}
    return changed if isinstance(document, dict) else list(changed.values())


def any_spoilt(document: Any) -> st.SearchStrategy[Any]:
    """The document with anything in any place."""
    where = st.sampled_from(list(places(document)))
    return st.builds(lambda place, other: spoilt(document, place, other), where, ANYTHING)


@given(any_spoilt(yaml.safe_load(FULL)))
def test_a_tasks_file_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    """With anything for a value, a section or a list."""
    path = tmp_path_factory.mktemp("any") / "tasks.yml"
    with contextlib.suppress(UnicodeEncodeError):
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        with contextlib.suppress(OperatorError):
            load_tasks(path)


BEAT = ShardFigures(TASK.name, "shardId-1", "w", CLOCK).heartbeat()


@given(any_spoilt(json.loads(json.dumps(asdict(BEAT)))))
def test_a_heartbeat_of_anything_disturbs_no_view(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    """It is passed over, or it can be computed with."""
    folder = tmp_path_factory.mktemp("beats")
    write_heartbeat(folder, BEAT)
    (file,) = folder.iterdir()
    file.write_text(json.dumps(document), encoding="utf-8")
    beats = read_heartbeats(folder, CLOCK.now())
    local_problems(beats, 120, CLOCK.now(), running=True, state=folder)
    summarise(sight(view("shardId-1"), heartbeats=beats))


NOTES: dict[str, tuple[Callable[[TaskFiles], Path], Any, Callable[[TaskFiles], object]]] = {
    "ending": (
        lambda files: files.ending,
        {"at": 1.0, "code": 9, "reason": "It failed. Try: that"},
        lambda files: [words("t", one) for one in [read_ending(files)] if one],
    ),
    "owner": (
        lambda files: files.owner,
        {"region": "us-east-1", "endpoint": None, "application_name": "a"},
        lambda files: owned_files(files.task, files.state),
    ),
    "gaps": (
        lambda files: files.gaps,
        {"at": "2026-01-01T00:00:00Z", "shard": "s", "checkpoint": "5", "from": None, "to": None},
        lambda files: open_gaps(files.gaps),
    ),
    "letters": (
        lambda files: files.letter_file,
        {"task": TASK.name, "shardId": "s", "sequenceNumber": "5", "key": {"pk": {"S": "a"}},
         "image": {"pk": {"S": "a"}}, "refusedMs": 5},
        lambda files: list(LetterFile(files.letter_file).letters()),
    ),
    "starts": (
        lambda files: files.starts,
        {"starts": 3, "last": 1.0},
        lambda files: pause_before_start(files.starts, CLOCK.now()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("note", NOTES)
@given(data=st.data())
def test_a_note_of_anything_is_read_passed_over_or_refused(
    tmp_path_factory: pytest.TempPathFactory, note: str, data: st.DataObject
) -> None:
    """A line of JSON with anything in it, or bytes that are none."""
    place, whole, read = NOTES[note]
    files = TaskFiles(TASK, tmp_path_factory.mktemp(note))
    as_json = any_spoilt(whole).map(lambda document: json.dumps(document).encode())
    path = place(files)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.draw(st.one_of(as_json, st.binary(max_size=60))) + b"\n")
    with contextlib.suppress(OperatorError):
        read(files)


LEASES, COORDINATOR, WORKERS = snapshot("two-workers")
KINDS = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "SS", "L", "M"])
NUMBERS = st.sampled_from(["0", "-1", "1.5", "1E+125", "9" * 38, "1E-130"])


def typed(kind: str, value: Any) -> dict[str, Any]:
    """An attribute as the SDK gives it."""
    of_kind = {"S": str(value), "B": b"x", "BOOL": True, "NULL": True, "SS": [str(value)],
               "L": [], "M": {}}  # fmt: skip
    return {kind: of_kind[kind]}


ATTRIBUTES = st.one_of(
    NUMBERS.map(lambda number: {"N": number}),
    st.builds(typed, KINDS.filter(lambda kind: kind != "N"), SCALARS),
    # A shard that descends from any other, from itself and from its own descendants.
    st.sampled_from([row["leaseKey"]["S"] for row in LEASES]).map(lambda shard: {"SS": [shard]}),
)


@given(st.data())
def test_a_row_of_anything_disturbs_no_view(data: st.DataObject) -> None:
    """Another KCL, or a hand, wrote it: an attribute is of another type or is not there."""
    rows: list[list[Any]] = [list(LEASES), list(COORDINATOR), list(WORKERS)]
    table = data.draw(st.sampled_from(rows))
    at = data.draw(st.integers(0, len(table) - 1))
    name = data.draw(st.sampled_from(sorted(table[at])))
    other = data.draw(st.none() | ATTRIBUTES)
    table[at] = {key: value for key, value in table[at].items() if key != name}
    if other is not None:
        table[at][name] = other
    leases = list(map(lease, rows[0]))
    kcl = KclRows(found=True, leases=leases, coordinator=rows[1], workers=rows[2])
    pulses = coordinator.Pulses(3.0)
    pulses.read(coordinator.pulses_of(kcl), 0.0)
    owners = coordinator.Owners(kcl, pulses, TASK, CLOCK.now())
    coordinator.renewing(kcl, TASK, CLOCK.now())
    shards = shards_of(LEASES)
    unleased(leases, shards)
    looks = {row.shard: Look() for row in unfinished(leases)}
    views = join(leases, shards, looks, owners.life, CLOCK.now())
    list(tree(views))
    seen = sight(*views, leader=coordinator.leader(kcl))
    summarise(seen)
    problems(seen, 900, 120)

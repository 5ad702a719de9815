"""The record processor, spoken to by kclpy: what is acknowledged is written, or not ours."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from amazon_kclpy import kcl
from hypothesis import given, settings
from hypothesis import strategies as st

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import ExitCode
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.checkpoint import Position
from kcl_processor.replicate.delivery import PlainReader
from kcl_processor.replicate.doubt import WINDOW
from kcl_processor.replicate.processor import ReplicaProcessor
from kcl_processor.replicate.refusals import Origin, StopOnRefusal
from kcl_processor.replicate.write import Writer
from tests.fakes import INVALID, LOST, THROTTLED, HandClock, RecordingDestination
from tests.replicate import daemon_side

POOL = ThreadPoolExecutor(4)
INITIALIZE = {**daemon_side.INITIALIZE, "sequenceNumber": "100"}
SHARD_ENDED = {"action": "shardEnded"}
SHUTDOWN = {"action": "shutdownRequested"}
LEASE_LOST = {"action": "leaseLost"}


def record(name: str, sequence: int, value: int | None) -> dict[str, Any]:
    keys = {"pk": {"S": name}}
    image = None if value is None else {**keys, "v": {"N": str(value)}}
    event = "REMOVE" if value is None else "MODIFY"
    change = {"eventName": event, "dynamodb": {"Keys": keys, "NewImage": image}}
    return daemon_side.record(sequence, change)


def batch(*records: dict[str, Any]) -> dict[str, Any]:
    return {"action": "processRecords", "records": list(records), "millisBehindLatest": None}


class Daemon:
    """The daemon's side of the protocol: sends actions, grants or refuses checkpoints."""

    def __init__(
        self,
        destination: RecordingDestination,
        clock: HandClock | None = None,
    ) -> None:
        self.clock = clock or HandClock()
        self.destination = destination
        self.checkpoints: list[str | None] = []
        self.refuse_with: str | None = None
        self.replies: list[str] = []
        self._lines: list[str] = []

    def run(
        self,
        *actions: dict[str, Any],
        busy: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> int:
        """Feed the actions to a new record processor; returns its exit code, 0 for end of input."""
        self._lines = [json.dumps(action) + "\n" for action in actions]
        processor = ReplicaProcessor(self._open, self.clock, busy, lost_patience=60)
        try:
            kcl.KCLProcess(processor, self, self, io.StringIO()).run()
        except SystemExit as leaving:
            return int(leaving.code or 0)
        return 0

    def _open(self, shard_id: str, start: str) -> SimpleNamespace:
        origin = Origin("task", "source", "replica", shard_id)
        writer = Writer(
            self.destination,
            StopOnRefusal(origin),
            self.clock,
            self.clock.turn,
            Window(largest=4),
            POOL,
            backoff=lambda _attempts: 0.0,
        )
        position = Position(
            start, self.clock, 5, 6, wait=self.clock.turn, in_doubt=writer.doubts.oldest
        )
        return SimpleNamespace(
            reader=PlainReader(), writer=writer, position=position, batch_done=lambda *_a: None
        )

    def readline(self) -> str:
        return self._lines.pop(0) if self._lines else ""

    def write(self, text: str) -> None:
        for line in filter(None, text.splitlines()):
            message = json.loads(line)
            if message["action"] == "status":
                self.replies.append(message["responseFor"])
            else:
                self._answer_checkpoint(message["sequenceNumber"])

    def flush(self) -> None:
        pass

    def _answer_checkpoint(self, sequence_number: str | None) -> None:
        error = self.refuse_with
        if error is None:
            self.checkpoints.append(sequence_number)
        answer = {
            "action": "checkpoint",
            "sequenceNumber": sequence_number,
            "subSequenceNumber": None,
            "error": error,
        }
        self._lines.insert(0, json.dumps(answer) + "\n")


def values(destination: RecordingDestination) -> dict[str, int]:
    return {
        json.loads(key)["pk"]["S"]: int(json.loads(image)["v"]["N"])
        for key, image in destination.items.items()
    }


def test_a_shard_is_read_to_its_end() -> None:
    """Batches are written and acknowledged, and the end of the shard is checkpointed."""
    daemon = Daemon(RecordingDestination())
    code = daemon.run(
        INITIALIZE,
        batch(record("a", 101, 1), record("b", 102, 1)),
        batch(record("a", 103, 2), record("b", 104, None)),
        SHARD_ENDED,
    )
    assert code == 0
    assert values(daemon.destination) == {"a": 2}
    assert daemon.replies == ["initialize", "processRecords", "processRecords", "shardEnded"]
    assert daemon.checkpoints == ["100", None]


def test_a_shutdown_checkpoints_what_was_written() -> None:
    """A graceful stop leaves nothing to read again."""
    daemon = Daemon(RecordingDestination())
    daemon.run(INITIALIZE, batch(record("a", 101, 1)), SHUTDOWN, LEASE_LOST)
    assert daemon.checkpoints == ["100", "101"]


def test_a_stop_leaves_what_is_in_doubt_to_be_read_again() -> None:
    """A request was lost and made again: a restart writes its keys once more."""
    daemon = Daemon(RecordingDestination(lambda _changes, n: LOST if n == 2 else None))
    daemon.run(
        INITIALIZE,
        batch(record("a", 101, 1)),
        batch(record("a", 102, 2), record("b", 103, 2)),
        batch(record("c", 104, 3)),
        SHUTDOWN,
    )
    assert values(daemon.destination) == {"a": 2, "b": 2, "c": 3}
    assert daemon.checkpoints == ["100", "101"]


def test_a_doubt_ends_without_any_further_record() -> None:
    """Deliveries without records bring its time, and the checkpoint behind it."""
    clock = HandClock()

    def lost_then_idle(_changes: Sequence[Change], n: int) -> Answer | None:
        clock.turn(WINDOW if n == 2 else 0)
        return LOST if n == 1 else None

    daemon = Daemon(RecordingDestination(lost_then_idle), clock)
    daemon.run(INITIALIZE, batch(record("a", 101, 1)), batch(), SHUTDOWN)
    assert len(daemon.destination.attempts) == 3
    assert daemon.checkpoints[-1] == "101"


def test_a_shard_does_not_end_in_doubt() -> None:
    """Its children hold the same keys: what was lost has settled before they are read."""
    clock = HandClock()
    daemon = Daemon(RecordingDestination(lambda _changes, n: LOST if n == 1 else None), clock)
    daemon.run(INITIALIZE, batch(record("a", 101, 1)), SHARD_ENDED)
    assert len(daemon.destination.attempts) == 3 and clock.seconds >= 1000 + WINDOW
    assert daemon.checkpoints[-1] is None


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyError("x"), ValueError()])
def test_an_unforeseen_error_ends_the_process_before_anything_is_acknowledged(
    error: Exception,
) -> None:
    """kclpy would report success; the process ends instead, with no reply and no checkpoint."""

    class Failing(RecordingDestination):
        def send(self, _changes: Sequence[Change], _remaining: Callable[[], float]) -> Answer:
            raise error

    daemon = Daemon(Failing())
    code = daemon.run(INITIALIZE, batch(record("a", 101, 1)), SHARD_ENDED)
    assert code == ExitCode.BUG
    assert daemon.replies == ["initialize"] and daemon.checkpoints == ["100"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_watch_that_fails_passes_for_no_batch(when: str) -> None:
    """Not before a batch is begun, and not in place of what had failed in it."""
    turns = iter(["initialize", when])

    @contextlib.contextmanager
    def busy() -> Iterator[None]:
        fails = next(turns, None)
        if fails == "before":
            raise RuntimeError("no thread left")
        try:
            yield
        finally:
            if fails == "after":
                raise RuntimeError("no thread left")

    daemon = Daemon(RecordingDestination(lambda _changes, _n: INVALID))
    code = daemon.run(INITIALIZE, batch(record("a", 101, 1)), SHARD_ENDED, busy=busy)
    assert code == ExitCode.BUG
    assert daemon.replies == ["initialize"] and set(daemon.checkpoints) <= {"100"}


def test_poison_ends_the_process_with_its_own_code() -> None:
    """An item that is never accepted is not passed over."""
    daemon = Daemon(RecordingDestination(lambda _changes, _n: INVALID))
    assert daemon.run(INITIALIZE, batch(record("a", 101, 1)), SHARD_ENDED) == ExitCode.POISON
    assert daemon.replies == ["initialize"]


def test_a_malformed_record_ends_the_process() -> None:
    """What cannot be decoded is not acknowledged."""
    broken = {**record("a", 101, 1), "data": base64.b64encode(b"{").decode()}
    daemon = Daemon(RecordingDestination())
    assert daemon.run(INITIALIZE, batch(broken), SHARD_ENDED) == ExitCode.SOURCE
    assert daemon.replies == ["initialize"]


def test_a_lost_lease_is_answered_and_nothing_more_is_written() -> None:
    """After ShutdownException the processor answers on, and neither writes nor checkpoints."""
    daemon = Daemon(RecordingDestination())
    daemon.refuse_with = "ShutdownException"
    code = daemon.run(
        INITIALIZE, batch(record("a", 101, 1)), batch(record("a", 102, 2)), LEASE_LOST
    )
    assert code == 0
    assert daemon.destination.attempts == [] and daemon.checkpoints == []
    assert daemon.replies == ["initialize", "processRecords", "processRecords", "leaseLost"]


def test_a_lease_lost_in_mid_batch_never_ends_the_shard() -> None:
    """A batch that was dropped is not sealed by a later end of shard or shutdown."""
    clock = HandClock()

    def throttle(_changes: Sequence[Change], _n: int) -> Answer:
        clock.turn(7)
        daemon.refuse_with = "ShutdownException"
        return THROTTLED

    daemon = Daemon(RecordingDestination(throttle), clock)
    daemon.run(INITIALIZE, batch(record("a", 101, 1)), SHUTDOWN, SHARD_ENDED)
    assert daemon.checkpoints == ["100"] and daemon.destination.items == {}


def test_kcl_delivering_on_after_a_lost_lease_ends_in_a_restart() -> None:
    """Records that go nowhere for a minute end the process: a restart brings the shard back."""
    clock = HandClock()

    def late_records() -> Iterator[dict[str, Any]]:
        yield INITIALIZE
        yield batch(record("a", 101, 1))
        clock.turn(61)
        yield batch(record("a", 102, 1))

    feed = late_records()

    class Delivering(Daemon):
        def readline(self) -> str:
            return super().readline() or json.dumps(next(feed)) + "\n"

    daemon = Delivering(RecordingDestination(), clock)
    daemon.refuse_with = "ShutdownException"
    assert daemon.run() == ExitCode.CRASH


@pytest.mark.parametrize(
    ("error", "code"),
    [("ThrottlingException", ExitCode.CRASH), ("InvalidStateException", ExitCode.BUG)],
)
def test_a_checkpoint_that_is_refused_for_good_ends_the_process(error: str, code: ExitCode) -> None:
    """What may pass is asked for again for minutes; what cannot pass is not."""
    daemon = Daemon(RecordingDestination())
    daemon.refuse_with = error
    assert daemon.run(INITIALIZE, batch(record("a", 101, 1))) == code
    assert (daemon.clock.seconds > 1300) is (code is ExitCode.CRASH)


def test_a_daemon_that_goes_away_in_mid_checkpoint_ends_the_process() -> None:
    """End of input instead of a checkpoint's answer is no success."""

    class Gone(Daemon):
        def _answer_checkpoint(self, sequence_number: str | None) -> None:
            pass

    daemon = Gone(RecordingDestination())
    assert daemon.run(INITIALIZE, batch(record("a", 101, 1))) == ExitCode.BUG


@given(
    log=st.lists(
        st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 9))),
        min_size=1,
        max_size=40,
    ),
    cuts=st.lists(st.integers(1, 7), min_size=1),
    crashes=st.lists(st.integers(1, 12), max_size=5),
    fates=st.lists(st.booleans(), max_size=20),
)
@settings(max_examples=60)
def test_any_interleaving_of_batches_failures_and_restarts_ends_in_the_last_images(
    log: list[tuple[str, int | None]],
    cuts: list[int],
    crashes: list[int],
    fates: list[bool],
) -> None:
    """Restarted from its checkpoint after any crash, a shard ends in each key's last state."""
    records = [record(name, 101 + n, value) for n, (name, value) in enumerate(log)]
    fate = iter(fates)
    destination = RecordingDestination(
        lambda _changes, _n: THROTTLED if next(fate, False) else None
    )
    start = "100"
    for crash_after in [*crashes, None]:
        daemon = Daemon(destination)
        rest = records[int(start) - 100 :]
        actions = [{**INITIALIZE, "sequenceNumber": start}, *deliveries(rest, cuts)]
        daemon.run(*(actions if crash_after is None else actions[: crash_after + 1]))
        done = [sequence for sequence in daemon.checkpoints if sequence]
        start = done[-1] if done else start
    expected = {name: value for name, value in log if value is not None}
    last = dict(log)
    assert values(destination) == {n: last[n] for n in expected if last[n] is not None}


def deliveries(records: list[dict[str, Any]], cuts: list[int]) -> list[dict[str, Any]]:
    """The records in batches of the given sizes, each followed by a graceful stop or nothing."""
    actions: list[dict[str, Any]] = []
    sizes = iter(cuts * 40)
    while records:
        size = next(sizes)
        actions.append(batch(*records[:size]))
        if size % 2:
            actions.append(SHUTDOWN)
        records = records[size:]
    return actions

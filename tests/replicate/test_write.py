"""The writer: all of a batch is applied, whatever the destination does meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.aws.codes import NO_CREDENTIALS, RENEW, RENEWAL_SECONDS
from kcl_processor.aws.wire import Answer
from kcl_processor.errors import (
    DestinationError,
    ExitCode,
    OperatorError,
    PermissionDenied,
    PoisonError,
)
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.breaker import MOST_REFUSALS
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.checkpoint import LeaseLost
from kcl_processor.replicate.destination import Destination
from kcl_processor.replicate.doubt import WINDOW
from kcl_processor.replicate.refusals import Origin, Refusals, StopOnRefusal
from kcl_processor.replicate.write import Writer
from tests.fakes import (
    BROKEN,
    INVALID,
    LOST,
    THROTTLED,
    HandClock,
    OpenFence,
    RecordingDestination,
    echo,
    handed_back,
    put,
    remove,
)

ORIGIN = Origin("task", "source", "replica", "shard-1")
POOL = ThreadPoolExecutor(8)


class Kept:
    """Keeps refused changes instead of stopping."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def refuse(self, change: Change, _reply: Answer) -> None:
        self.changes.append(change)


def writer(
    destination: Destination,
    clock: HandClock | None = None,
    refusals: Refusals | None = None,
    largest: int = 8,
    on_progress: Callable[[], None] = lambda: None,
    pause: float = 0.0,
) -> Writer:
    clock = clock or HandClock()
    return Writer(
        destination,
        refusals or StopOnRefusal(ORIGIN),
        clock,
        clock.turn,
        Window(largest=largest),
        POOL,
        backoff=lambda _attempts: pause,
        on_progress=on_progress,
    )


def items(*changes: Change) -> dict[bytes, bytes | None]:
    return {change.key: change.image for change in changes}


def test_a_batch_goes_out_by_25_and_all_of_it_arrives() -> None:
    """60 changes make 3 requests, and every item is there when write returns."""
    batch = [put(f"k{n}") for n in range(60)]
    destination = RecordingDestination()
    writer(destination).write(batch, OpenFence())
    assert sorted(map(len, destination.attempts)) == [10, 25, 25]
    assert destination.items == items(*batch)


def test_large_items_are_cut_by_bytes() -> None:
    """25 items of 400 KB can be more as JSON than DynamoDB takes; none is sent apart needlessly."""
    kilobytes = [400, 2_000, 3_000, 5_000, *[600] * 10, *[1] * 30]
    batch = [put(f"k{n}", text={"S": "x" * size * 1000}) for n, size in enumerate(kilobytes)]
    destination = RecordingDestination()
    writer(destination).write(batch, OpenFence())
    assert sorted(map(len, destination.attempts)) == [1, 1, 2, 6, 9, 25]
    assert destination.items == items(*batch)


def test_an_empty_batch_sends_nothing() -> None:
    """Nothing to write is no request at all."""
    destination = RecordingDestination()
    writer(destination).write([], OpenFence())
    assert destination.attempts == []


@pytest.mark.parametrize(
    "failure",
    [
        THROTTLED,
        BROKEN,
        Answer(0, "ReadTimeoutError", "read timed out"),
        Answer(0, "EndpointConnectionError", "refused"),
        Answer(503, "UnreadableAnswer", "HTTP status 503"),
        Answer(400, "ThrottlingException", "rate"),
        Answer(400, "ExpiredTokenException", "expired"),
        Answer(429, "Anything", ""),
    ],
)
def test_what_can_pass_is_tried_again_until_it_does(failure: Answer) -> None:
    """A passing failure costs attempts, never changes."""
    destination = RecordingDestination(lambda _changes, n: failure if n < 6 else None)
    w = writer(destination)
    w.write([put("a")], OpenFence())
    assert len(destination.attempts) == 6
    assert (w.tally.written, w.tally.retried) == (1, 5)


def test_the_end_of_a_trouble_is_told_though_nothing_more_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An idle shard has empty deliveries, and its last line would say that writes fail."""
    throttled = RecordingDestination(lambda _changes, n: THROTTLED if n < 2 else None)
    clock = HandClock()
    out = writer(throttled, clock)
    out.write([put("a")], OpenFence())
    assert "does not take every write" in caplog.text and "again" not in caplog.text
    clock.turn(10)
    out.write([], OpenFence())
    assert "takes writes again" in caplog.text


def test_an_outage_is_progress_attempt_by_attempt() -> None:
    """A watchdog hears of each attempt that ended, and of nothing else."""
    destination = RecordingDestination(lambda _changes, n: BROKEN if n < 20 else None)
    heard: list[int] = []
    w = writer(destination, on_progress=lambda: heard.append(len(destination.attempts)))
    w.write([put("a")], OpenFence())
    assert heard == list(range(1, 21))


def test_only_what_was_not_processed_is_sent_again() -> None:
    """UnprocessedItems narrow the next attempt to those items, puts and deletes alike."""
    batch = [put("a"), remove("b"), put("c")]

    def answer(_changes: Sequence[Change], n: int) -> Answer | None:
        return handed_back([echo(batch[1]), echo(batch[2])]) if n == 1 else None

    destination = RecordingDestination(answer)
    w = writer(destination)
    w.write(batch, OpenFence())
    assert destination.attempts[1] == batch[1:]
    assert (w.tally.written, w.tally.retried) == (3, 2)


def test_an_unprocessed_item_that_is_not_recognised_repeats_the_whole_request() -> None:
    """An echo with another spelling of the key loses nothing."""
    batch = [put("a"), put("b")]
    strange = {"PutRequest": {"Item": {"pk": {"S": "unknown"}}}}
    destination = RecordingDestination(
        lambda _changes, n: handed_back([strange]) if n == 1 else None
    )
    writer(destination).write(batch, OpenFence())
    assert destination.attempts == [batch, batch]


def test_one_bad_item_is_found_and_the_rest_of_its_request_is_written() -> None:
    """A refused request is sent change by change; only the culprit is refused."""
    batch = [put(f"k{n}") for n in range(25)]
    bad = batch[13]
    destination = RecordingDestination(lambda changes, _n: INVALID if bad in changes else None)
    refused = Kept()
    w = writer(destination, refusals=refused)
    w.write(batch, OpenFence())
    assert refused.changes == [bad]
    assert len(destination.items) == 24 and w.tally.refused == 1


def test_a_table_that_refuses_everything_stops_and_sets_little_aside() -> None:
    """Refused without a change accepted: after a hundred of a thousand the task ends by name."""
    refused = Kept()
    destination = RecordingDestination(lambda _changes, _n: INVALID)
    with pytest.raises(DestinationError, match="replica refused the last 100 changes"):
        writer(destination, refusals=refused).write(
            [put(f"k{n}") for n in range(1000)], OpenFence()
        )
    assert len(refused.changes) == MOST_REFUSALS


def test_a_deletion_that_is_accepted_says_nothing_of_items() -> None:
    """An index that no item fits refuses no deletion: with one in ten, the task ends as well."""
    batch = [put(f"k{n}") if n % 10 else remove(f"k{n}") for n in range(1000)]

    def answer(changes: Sequence[Change], _n: int) -> Answer | None:
        return INVALID if any(change.image for change in changes) else None

    refused = Kept()
    with pytest.raises(DestinationError, match="replica refused the last 100 changes"):
        writer(RecordingDestination(answer), refusals=refused).write(batch, OpenFence())
    assert len(refused.changes) == MOST_REFUSALS


def test_refused_items_among_good_ones_stop_nothing() -> None:
    """Ten in a hundred that are never accepted are set aside, however many they become."""
    batch = [put(f"k{n}", good={"BOOL": n % 10 > 0}) for n in range(2000)]
    bad = {change.key for change in batch[::10]}
    refused = Kept()

    def answer(changes: Sequence[Change], _n: int) -> Answer | None:
        return INVALID if any(change.key in bad for change in changes) else None

    destination = RecordingDestination(answer)
    w = writer(destination, refusals=refused)
    w.write(batch, OpenFence())
    assert {change.key for change in refused.changes} == bad
    assert w.tally.refused == 200 and len(destination.items) == 1800


def test_a_request_that_is_too_long_is_sent_item_by_item() -> None:
    """HTTP 413 for 25 items is no verdict on any one of them."""
    long = Answer(413, "HTTP 413", "")
    destination = RecordingDestination(lambda changes, _n: long if len(changes) > 1 else None)
    batch = [put(f"k{n}") for n in range(25)]
    writer(destination).write(batch, OpenFence())
    assert destination.items == items(*batch)


def test_poison_stops_with_names_and_without_values() -> None:
    """on_poison: stop raises an error that names the record and shows none of its values."""
    secret = put("k", 4711, name={"S": "secret-value"})
    reply = Answer(400, "ValidationException", "The value secret-value is not allowed")
    destination = RecordingDestination(lambda _changes, _n: reply)
    with pytest.raises(PoisonError) as raised:
        writer(destination).write([secret], OpenFence())
    text = raised.value.message
    assert raised.value.exit_code == ExitCode.POISON
    assert "4711" in text and "shard-1" in text and "replica" in text and "pk" in text
    assert "secret-value" not in text


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Answer(400, "AccessDeniedException", "no"), PermissionDenied),
        (Answer(400, "ResourceNotFoundException", "gone"), DestinationError),
        (
            Answer(
                400, "ValidationException", "The provided key element does not match the schema"
            ),
            DestinationError,
        ),
        (Answer(400, "SomethingNewException", "?"), DestinationError),
    ],
)
def test_what_cannot_pass_stops_by_name(reply: Answer, error: type[OperatorError]) -> None:
    """Denied actions, missing tables, changed keys and unknown errors end the batch at once."""
    destination = RecordingDestination(lambda _changes, _n: reply)
    with pytest.raises(error, match="replica"):
        writer(destination).write([put("a")], OpenFence())
    assert len(destination.attempts) == 1


@pytest.mark.parametrize("code", sorted({*RENEW, NO_CREDENTIALS}))
def test_credentials_that_stay_refused_stop_in_the_end(code: str) -> None:
    """Whatever they are refused for, they are waited for, five minutes long, and then named."""
    clock = HandClock()

    def answer(_changes: Sequence[Change], _n: int) -> Answer:
        clock.turn(60)
        return Answer(400, code, "The security token is not what it should be")

    destination = RecordingDestination(answer)
    with pytest.raises(PermissionDenied, match="credentials"):
        writer(destination, clock).write([put("a")], OpenFence())
    assert len(destination.attempts) * 60 > RENEWAL_SECONDS


def test_an_error_of_ours_in_a_thread_is_not_lost() -> None:
    """An exception in an attempt surfaces from write: nothing counts as written."""

    class Failing:
        table = "replica"

        def send(self, _changes: Sequence[Change], _remaining: Callable[[], float]) -> Answer:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        writer(Failing()).write([put("a")], OpenFence())


def test_a_lost_lease_stops_everything_that_was_not_sent() -> None:
    """When the fence falls, what waits for its retry is dropped."""

    class Falling(OpenFence):
        def hold(self) -> None:
            super().hold()
            if self.held > 3:
                raise LeaseLost

    destination = RecordingDestination(lambda _changes, _n: THROTTLED)
    with pytest.raises(LeaseLost):
        writer(destination).write([put(f"k{n}") for n in range(25)], Falling())
    assert len(destination.attempts) == 3 and destination.items == {}


def test_a_process_that_slept_before_sending_does_not_send() -> None:
    """A proof that grew old between the check and the call keeps the request in."""

    class SleptOnce(OpenFence):
        slept = False

        def remaining(self) -> float:
            self.slept, before = True, self.slept
            return 1.0 if before else 0.0

    destination, fence = RecordingDestination(), SleptOnce()
    writer(destination).write([put("a")], fence)
    assert (len(destination.attempts), fence.held) == (1, 2)


def test_no_proof_is_renewed_while_all_that_is_left_waits() -> None:
    """It is asked for once for each attempt, however long a retry waits for its moment."""

    class Ticking(HandClock):
        def elapsed(self) -> float:
            self.turn(0.001)
            return super().elapsed()

    fates = iter([THROTTLED])
    destination = RecordingDestination(lambda _changes, _n: next(fates, None))
    fence = OpenFence()
    writer(destination, Ticking(), pause=0.05).write([put("a")], fence)
    assert (len(destination.attempts), fence.held) == (2, 2)


def test_a_slow_answer_outlasts_a_proof_by_renewing_it() -> None:
    """While nothing comes back the proof is held, so that what is slow is not cut off."""
    renewed = threading.Event()

    class Renewing(OpenFence):
        def hold(self) -> None:
            super().hold()
            if self.held > 1:
                renewed.set()

    class Slow(RecordingDestination):
        def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
            assert renewed.wait(5)
            return super().send(changes, remaining)

    destination = Slow()
    writer(destination).write([put("a")], Renewing())
    assert len(destination.attempts) == 1


def test_nothing_is_in_flight_when_write_raises() -> None:
    """An error waits for the requests on the wire, so that none lands after it was reported."""
    entered, leave = threading.Event(), threading.Event()

    class Slow(RecordingDestination):
        def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
            if len(changes) < 25:
                return Answer(400, "AccessDeniedException", "no")
            entered.set()
            assert leave.wait(5)
            return super().send(changes, remaining)

    def let_go() -> None:
        entered.wait(5)
        leave.set()

    destination = Slow()
    threading.Thread(target=let_go).start()
    with pytest.raises(PermissionDenied):
        writer(destination).write([put(f"k{n}") for n in range(26)], OpenFence())
    assert len(destination.items) == 25


@given(
    st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=40, unique=True),
    st.lists(st.sampled_from(["ok", "throttle", "break", "part"]), max_size=30),
)
def test_any_run_of_failures_ends_with_every_change_applied(
    names: list[str], fates: list[str]
) -> None:
    """Whatever the destination answers for a while, the batch ends applied in full."""
    fate = iter(fates)

    def answer(changes: Sequence[Change], _n: int) -> Answer | None:
        match next(fate, "ok"):
            case "throttle":
                return THROTTLED
            case "break":
                return BROKEN
            case "part":
                return handed_back([echo(change) for change in changes[::2]])
        return None

    batch = [put(name) for name in names]
    destination = RecordingDestination(answer)
    writer(destination).write(batch, OpenFence())
    assert destination.items == items(*batch)


def test_a_lost_request_that_lands_on_a_newer_write_is_mended() -> None:
    """Its keys are written once more when it must have settled, as they were written last."""
    clock = HandClock()
    destination = RecordingDestination(lambda _changes, n: LOST if n == 1 else None)
    w = writer(destination, clock)
    old, newer, other = put("a", 1, v={"N": "1"}), put("a", 2, v={"N": "2"}), put("b", 3)
    w.write([old, other], OpenFence())
    w.write([newer], OpenFence())
    destination.apply(old)
    clock.turn(WINDOW - 1)
    w.write([], OpenFence())
    assert len(destination.attempts) == 3
    clock.turn(1)
    w.write([], OpenFence())
    assert destination.items == items(newer, other)
    assert destination.attempts[3:] == [[newer, other]] and not w.doubts
    assert w.tally.written == 3


def test_a_newer_write_behind_the_window_ends_the_doubt_by_itself() -> None:
    """A key that is busy costs no write more, and is in no request twice."""
    clock = HandClock()
    destination = RecordingDestination(lambda _changes, n: LOST if n == 1 else None)
    w = writer(destination, clock)
    w.write([put("a", 1)], OpenFence())
    clock.turn(WINDOW)
    w.write([put("a", 2)], OpenFence())
    assert destination.attempts[2:] == [[put("a", 2)]] and not w.doubts


def test_settling_waits_for_the_window_and_for_the_fence() -> None:
    """Nothing is in doubt when it returns; a lease that is lost meanwhile ends it at once."""
    clock = HandClock()
    destination = RecordingDestination(lambda _changes, n: LOST if n < 3 else None)
    w = writer(destination, clock)
    w.write([put("a")], OpenFence())
    w.settle(OpenFence())
    assert clock.seconds == 1000 + WINDOW and len(destination.attempts) == 4

    class Lost(OpenFence):
        def hold(self) -> None:
            raise LeaseLost

    w.doubts.began([put("a")])
    with pytest.raises(LeaseLost):
        w.settle(Lost())


def test_more_doubts_than_are_remembered_hold_up_what_comes_next() -> None:
    """Memory is bounded: a batch waits until what is in doubt is settled."""
    clock = HandClock()
    destination = RecordingDestination(lambda _changes, n: LOST if n == 1 else None)
    w = writer(destination, clock)
    w.write([put("a", text={"S": "x" * 40_000_000})], OpenFence())
    w.write([put("b")], OpenFence())
    assert clock.seconds == 1000 + WINDOW and not w.doubts


@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=1, unique=True), min_size=1, max_size=8),
    st.lists(st.integers(0, 12), max_size=20),
)
def test_whatever_lands_late_and_when_the_last_change_of_each_key_stands(
    batches: list[list[str]], fates: list[int]
) -> None:
    """0: applied at once; otherwise no answer, and the request lands that many attempts later."""
    fate, late = iter(fates), list[tuple[int, Sequence[Change]]]()

    def answer(changes: Sequence[Change], n: int) -> Answer | None:
        clock.turn(1.0)
        for at, lost in [*late]:
            if at <= n:
                late.remove((at, lost))
                for change in lost:
                    destination.apply(change)
        if delayed := next(fate, 0):
            late.append((n + delayed, list(changes)))
        return LOST if delayed else None

    clock = HandClock()
    destination = RecordingDestination(answer)
    w = writer(destination, clock, largest=1)
    last: dict[str, Change] = {}
    for number, names in enumerate(batches):
        batch = [put(name, number, v={"N": str(number)}) for name in names]
        w.write(batch, OpenFence())
        last |= dict(zip(names, batch, strict=True))
    for _, lost in late:
        for change in lost:
            destination.apply(change)
    late.clear()
    w.settle(OpenFence())
    assert destination.items == items(*last.values())


def test_one_hot_key_leaves_the_window_to_the_rest() -> None:
    """A single change that is handed back says nothing about the table; several of them do."""
    hot, window, clock = put("hot"), Window(largest=64, size=32), HandClock()

    def write(destination: Destination, changes: list[Change]) -> None:
        at = (StopOnRefusal(ORIGIN), clock, clock.turn, window, POOL)
        Writer(destination, *at, lambda _n: 0.0).write(changes, OpenFence())

    destination = RecordingDestination(
        lambda _changes, n: handed_back([echo(hot)]) if n == 1 else None
    )
    write(destination, [hot, *(put(f"k{n}") for n in range(24))])
    assert window.size == 32
    destination = RecordingDestination(lambda _changes, n: THROTTLED if n == 1 else None)
    write(destination, [put("a"), put("b")])
    assert window.size == 16

"""The writer: all of a batch is applied, whatever the destination does meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcl_processor.aws.codes import NO_CREDENTIALS, RENEW, RENEWAL_SECONDS
from kcl_processor.errors import DestinationError, ExitCode, PermissionDenied, PoisonError
from kcl_processor.replicate.backoff import Window, delay
from kcl_processor.replicate.checkpoint import LeaseLost
from kcl_processor.replicate.destination import Reply
from kcl_processor.replicate.refusals import Origin, StopOnRefusal
from kcl_processor.replicate.write import Writer
from tests.fakes import (
    BROKEN,
    INVALID,
    THROTTLED,
    HandClock,
    OpenFence,
    RecordingDestination,
    echo,
    put,
    remove,
)

ORIGIN = Origin("task", "source", "replica", "shard-1")
POOL = ThreadPoolExecutor(8)


class Kept:
    """Keeps refused changes instead of stopping."""

    def __init__(self):
        self.changes = []

    def refuse(self, change, reply):
        self.changes.append(change)


def writer(destination, clock=None, refusals=None, largest=8):
    return Writer(
        destination,
        refusals or StopOnRefusal(ORIGIN),
        clock or HandClock(),
        Window(largest=largest),
        POOL,
        backoff=lambda attempts: 0.0,
    )


def items(*changes):
    return {change.key: change.image for change in changes}


def test_a_batch_goes_out_by_25_and_all_of_it_arrives():
    """60 changes make 3 requests, and every item is there when write returns."""
    batch = [put(f"k{n}") for n in range(60)]
    destination = RecordingDestination()
    writer(destination).write(batch, OpenFence())
    assert sorted(map(len, destination.attempts)) == [10, 25, 25]
    assert destination.items == items(*batch)


def test_an_empty_batch_sends_nothing():
    """Nothing to write is no request at all."""
    destination = RecordingDestination()
    writer(destination).write([], OpenFence())
    assert destination.attempts == []


@pytest.mark.parametrize(
    "failure",
    [
        THROTTLED,
        BROKEN,
        Reply(0, "ReadTimeoutError", "read timed out"),
        Reply(0, "EndpointConnectionError", "refused"),
        Reply(503, "UnreadableAnswer", "HTTP status 503"),
        Reply(400, "ThrottlingException", "rate"),
        Reply(400, "ExpiredTokenException", "expired"),
        Reply(429, "Anything", ""),
    ],
)
def test_what_can_pass_is_tried_again_until_it_does(failure):
    """A passing failure costs attempts, never changes."""
    destination = RecordingDestination(lambda changes, n: failure if n < 6 else None)
    w = writer(destination)
    w.write([put("a")], OpenFence())
    assert len(destination.attempts) == 6
    assert (w.tally.written, w.tally.retried) == (1, 5)


def test_only_what_was_not_processed_is_sent_again():
    """UnprocessedItems narrow the next attempt to those items, puts and deletes alike."""
    batch = [put("a"), remove("b"), put("c")]

    def answer(changes, n):
        return Reply(200, unprocessed=[echo(batch[1]), echo(batch[2])]) if n == 1 else None

    destination = RecordingDestination(answer)
    w = writer(destination)
    w.write(batch, OpenFence())
    assert destination.attempts[1] == batch[1:]
    assert (w.tally.written, w.tally.retried) == (3, 2)


def test_an_unprocessed_item_that_is_not_recognised_repeats_the_whole_request():
    """An echo with another spelling of the key loses nothing."""
    batch = [put("a"), put("b")]
    strange = {"PutRequest": {"Item": {"pk": {"S": "unknown"}}}}
    destination = RecordingDestination(
        lambda changes, n: Reply(200, unprocessed=[strange]) if n == 1 else None
    )
    writer(destination).write(batch, OpenFence())
    assert destination.attempts == [batch, batch]


def test_one_bad_item_is_found_and_the_rest_of_its_request_is_written():
    """A refused request is sent change by change; only the culprit is refused."""
    batch = [put(f"k{n}") for n in range(25)]
    bad = batch[13]
    destination = RecordingDestination(lambda changes, n: INVALID if bad in changes else None)
    refused = Kept()
    w = writer(destination, refusals=refused)
    w.write(batch, OpenFence())
    assert refused.changes == [bad]
    assert len(destination.items) == 24 and w.tally.refused == 1


def test_a_request_that_is_too_long_is_sent_item_by_item():
    """HTTP 413 for 25 items is no verdict on any one of them."""
    long = Reply(413, "HTTP 413", "")
    destination = RecordingDestination(lambda changes, n: long if len(changes) > 1 else None)
    batch = [put(f"k{n}") for n in range(25)]
    writer(destination).write(batch, OpenFence())
    assert destination.items == items(*batch)


def test_poison_stops_with_names_and_without_values():
    """on_poison: stop raises an error that names the record and shows none of its values."""
    secret = put("k", 4711, name={"S": "secret-value"})
    reply = Reply(400, "ValidationException", "The value secret-value is not allowed")
    destination = RecordingDestination(lambda changes, n: reply)
    with pytest.raises(PoisonError) as raised:
        writer(destination).write([secret], OpenFence())
    text = raised.value.message
    assert raised.value.exit_code == ExitCode.POISON
    assert "4711" in text and "shard-1" in text and "replica" in text and "pk" in text
    assert "secret-value" not in text


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, "AccessDeniedException", "no"), PermissionDenied),
        (Reply(400, "ResourceNotFoundException", "gone"), DestinationError),
        (
            Reply(400, "ValidationException", "The provided key element does not match the schema"),
            DestinationError,
        ),
        (Reply(400, "SomethingNewException", "?"), DestinationError),
    ],
)
def test_what_cannot_pass_stops_by_name(reply, error):
    """Denied actions, missing tables, changed keys and unknown errors end the batch at once."""
    destination = RecordingDestination(lambda changes, n: reply)
    with pytest.raises(error, match="replica"):
        writer(destination).write([put("a")], OpenFence())
    assert len(destination.attempts) == 1


@pytest.mark.parametrize("code", sorted(RENEW | NO_CREDENTIALS))
def test_credentials_that_stay_refused_stop_in_the_end(code):
    """Whatever they are refused for, they are waited for, five minutes long, and then named."""
    clock = HandClock()

    def answer(changes, n):
        clock.turn(60)
        return Reply(400, code, "The security token is not what it should be")

    destination = RecordingDestination(answer)
    with pytest.raises(PermissionDenied, match="credentials"):
        writer(destination, clock).write([put("a")], OpenFence())
    assert len(destination.attempts) * 60 > RENEWAL_SECONDS


def test_an_error_of_ours_in_a_thread_is_not_lost():
    """An exception in an attempt surfaces from write: nothing counts as written."""

    class Failing:
        table = "replica"

        def send(self, changes):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        writer(Failing()).write([put("a")], OpenFence())


def test_a_lost_lease_stops_everything_that_was_not_sent():
    """When the fence falls, what waits for its retry is dropped."""

    class Falling(OpenFence):
        def hold(self):
            super().hold()
            if self.held > 3:
                raise LeaseLost

    destination = RecordingDestination(lambda changes, n: THROTTLED)
    with pytest.raises(LeaseLost):
        writer(destination).write([put(f"k{n}") for n in range(25)], Falling())
    assert len(destination.attempts) == 3 and destination.items == {}


def test_a_process_that_slept_before_sending_does_not_send():
    """A proof that grew old between the check and the call keeps the request in."""

    class SleptOnce(OpenFence):
        slept = False

        def fresh(self):
            self.slept, before = True, self.slept
            return before

    destination, fence = RecordingDestination(), SleptOnce()
    writer(destination).write([put("a")], fence)
    assert (len(destination.attempts), fence.held) == (1, 2)


def test_nothing_is_in_flight_when_write_raises():
    """An error waits for the requests on the wire, so that none lands after it was reported."""
    entered, leave = threading.Event(), threading.Event()

    class Slow(RecordingDestination):
        def send(self, changes):
            if len(changes) < 25:
                return Reply(400, "AccessDeniedException", "no")
            entered.set()
            assert leave.wait(5)
            return super().send(changes)

    destination = Slow()
    threading.Thread(target=lambda: (entered.wait(5), leave.set())).start()
    with pytest.raises(PermissionDenied):
        writer(destination).write([put(f"k{n}") for n in range(26)], OpenFence())
    assert len(destination.items) == 25


@given(
    st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=40, unique=True),
    st.lists(st.sampled_from(["ok", "throttle", "break", "part"]), max_size=30),
)
@settings(deadline=None)
def test_any_run_of_failures_ends_with_every_change_applied(names, fates):
    """Whatever the destination answers for a while, the batch ends applied in full."""
    fate = iter(fates)

    def answer(changes, n):
        match next(fate, "ok"):
            case "throttle":
                return THROTTLED
            case "break":
                return BROKEN
            case "part":
                return Reply(200, unprocessed=[echo(change) for change in changes[::2]])
        return None

    batch = [put(name) for name in names]
    destination = RecordingDestination(answer)
    writer(destination).write(batch, OpenFence())
    assert destination.items == items(*batch)


def test_the_backoff_is_capped_and_fully_jittered():
    """Delays start at nothing, double in their ceiling and end at four seconds."""
    ceilings = [delay(n, uniform=lambda low, high: high) for n in range(1, 20)]
    assert ceilings[:4] == [0.05, 0.1, 0.2, 0.4] and max(ceilings) == 4.0
    assert delay(5, uniform=lambda low, high: low) == 0.0


def test_the_window_halves_once_for_one_burst_of_throttling_and_grows_back():
    """Requests already sent when the first was throttled do not cut the window again."""
    window = Window(largest=64, size=32)
    for _ in range(16):
        window.throttled()
    assert window.size == 16
    for _ in range(900):
        window.succeeded()
    assert window.size == 64


def test_one_hot_key_leaves_the_window_to_the_rest():
    """A single change that is handed back says nothing about the table; several of them do."""
    hot, window = put("hot"), Window(largest=64, size=32)
    destination = RecordingDestination(
        lambda changes, n: Reply(200, unprocessed=[echo(hot)]) if n == 1 else None
    )
    Writer(destination, StopOnRefusal(ORIGIN), HandClock(), window, POOL, lambda n: 0.0).write(
        [hot, *(put(f"k{n}") for n in range(24))], OpenFence()
    )
    assert window.size == 32
    destination = RecordingDestination(lambda changes, n: THROTTLED if n == 1 else None)
    Writer(destination, StopOnRefusal(ORIGIN), HandClock(), window, POOL, lambda n: 0.0).write(
        [put("a"), put("b")], OpenFence()
    )
    assert window.size == 16

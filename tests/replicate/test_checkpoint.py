"""Positions: never past what is written, at a low rate, and a proof of ownership."""

from __future__ import annotations

import pytest

from kcl_processor.replicate.checkpoint import CheckpointRefused, LeaseLost, Position
from tests.fakes import FakeCheckpointer, HandClock


def position(
    checkpointer: FakeCheckpointer,
    clock: HandClock,
    waited: list[float] | None = None,
) -> Position:
    made = Position(
        "100",
        clock,
        interval=5,
        proof_lifetime=6,
        wait=clock.turn if waited is None else waited.append,
    )
    made.use(checkpointer)
    return made


def test_a_checkpoint_waits_for_its_interval() -> None:
    """While changes flow, a checkpoint is made every five seconds and no sooner."""
    clock, checkpointer = HandClock(), FakeCheckpointer()
    shard = position(checkpointer, clock)
    for sequence in range(101, 111):
        shard.applied(str(sequence))
        shard.checkpoint_if_due()
        clock.turn(1)
    assert checkpointer.recorded == ["106"]


def test_an_idle_shard_checkpoints_what_it_wrote_and_then_nothing() -> None:
    """What was written before the shard went quiet is checkpointed once."""
    clock, checkpointer = HandClock(), FakeCheckpointer()
    shard = position(checkpointer, clock)
    shard.applied("101")
    for _ in range(20):
        clock.turn(1)
        shard.checkpoint_if_due()
    assert checkpointer.recorded == ["101"]


def test_what_waits_for_its_checkpoint_waits_since_the_last_one() -> None:
    """A view that shows the lag behind the checkpoint is told by it."""
    clock, checkpointer = HandClock(), FakeCheckpointer()
    shard = position(checkpointer, clock)
    clock.turn(60)
    assert shard.unrecorded() == 0
    shard.applied("101")
    assert shard.unrecorded() == 60
    shard.checkpoint_if_due()
    assert shard.unrecorded() == 0


def test_a_routine_checkpoint_that_kcl_refuses_is_put_off() -> None:
    """A throttled lease table costs a later checkpoint, not the process."""
    clock, checkpointer = HandClock(), FakeCheckpointer(CheckpointRefused("ThrottlingException"))
    shard = position(checkpointer, clock)
    shard.applied("101")
    clock.turn(6)
    shard.checkpoint_if_due()
    shard.checkpoint_if_due()
    assert checkpointer.recorded == ["101"]


def test_a_last_checkpoint_is_insisted_on() -> None:
    """At shutdown a refused checkpoint is tried again."""
    refusals = [CheckpointRefused("ThrottlingException")] * 3
    clock, checkpointer = HandClock(), FakeCheckpointer(*refusals)
    shard = position(checkpointer, clock)
    shard.applied("101")
    shard.checkpoint_now()
    assert checkpointer.recorded == ["101"]


def test_a_last_checkpoint_gives_up_in_the_end() -> None:
    """A checkpoint that never succeeds is an error, not a silence."""
    refusals = [CheckpointRefused("ThrottlingException")] * 99
    shard = position(FakeCheckpointer(*refusals), HandClock())
    shard.applied("101")
    with pytest.raises(CheckpointRefused):
        shard.checkpoint_now()


def test_the_end_of_a_shard_waits_for_kcls_table() -> None:
    """It is no stop, which is in a hurry."""
    refusals = [CheckpointRefused("ThrottlingException")] * 30
    checkpointer = FakeCheckpointer(*refusals)
    position(checkpointer, HandClock()).end_shard()
    assert checkpointer.recorded == [None]


def test_the_end_of_a_shard_gives_up_after_five_minutes() -> None:
    """A start then says by name what KCL's table refuses."""
    clock = HandClock()
    shard = position(FakeCheckpointer(*[CheckpointRefused("ThrottlingException")] * 999), clock)
    with pytest.raises(CheckpointRefused):
        shard.end_shard()
    assert 300 < clock.seconds - 1000 < 310


def test_the_end_of_a_shard_is_checkpointed_at_its_end() -> None:
    """end_shard names no sequence number: KCL then records SHARD_END."""
    checkpointer = FakeCheckpointer()
    position(checkpointer, HandClock()).end_shard()
    assert checkpointer.recorded == [None]


def test_no_checkpoint_passes_what_is_in_doubt() -> None:
    """The end of the batch before it is as far as any of them goes, a proof of ownership too."""
    doubts: list[str] = []
    clock, checkpointer = HandClock(), FakeCheckpointer()
    shard = Position(
        "TRIM_HORIZON", clock, 5, 6, clock.turn, in_doubt=lambda: doubts[0] if doubts else None
    )
    shard.use(checkpointer)
    shard.applied("9")
    doubts.append("12")
    for end in ("14", "100"):
        shard.applied(end)
    for action in (shard.hold, shard.checkpoint_now, lambda: clock.turn(6), shard.hold):
        action()
    shard.checkpoint_if_due()
    assert checkpointer.recorded == ["9", "9"]
    doubts[0] = "99"
    shard.checkpoint_now()
    doubts.clear()
    shard.checkpoint_now()
    assert checkpointer.recorded == ["9", "9", "14", "100"]


def test_nothing_is_written_before_ownership_was_proven_once() -> None:
    """A fresh shard proves ownership at its starting checkpoint before its first write."""
    checkpointer = FakeCheckpointer()
    shard = position(checkpointer, HandClock())
    assert shard.remaining() == 0
    shard.hold()
    assert shard.remaining() == 6 and checkpointer.recorded == ["100"]


def test_a_proof_grows_old_and_is_renewed_at_the_last_safe_position() -> None:
    """A batch in progress is never part of the position that the proof is made at."""
    clock, checkpointer = HandClock(), FakeCheckpointer()
    shard = position(checkpointer, clock)
    shard.hold()
    shard.applied("150")
    clock.turn(4.9)
    shard.hold()
    assert checkpointer.recorded == ["100"]
    clock.turn(0.2)
    shard.hold()
    assert checkpointer.recorded == ["100", "150"] and shard.remaining() == 6
    clock.turn(6)
    assert shard.remaining() == 0


def test_a_proof_counts_from_before_it_was_asked_for() -> None:
    """However slow the answer, the lifetime of a proof starts when it was asked."""
    clock = HandClock()

    class Slow(FakeCheckpointer):
        def record(self, sequence_number: str | None) -> None:
            clock.turn(5)
            super().record(sequence_number)

    shard = position(Slow(), clock)
    shard.hold()
    clock.turn(1.1)
    assert shard.remaining() == 0


def test_while_ownership_cannot_be_proven_nothing_goes_on() -> None:
    """A lease table that does not answer holds the writes, until it answers."""
    refusals = [CheckpointRefused("KinesisClientLibDependencyException")] * 4
    waited: list[float] = []
    checkpointer = FakeCheckpointer(*refusals)
    shard = position(checkpointer, HandClock(), waited)
    shard.hold()
    assert len(waited) == 4 and checkpointer.recorded == ["100"]


def test_a_proof_that_never_comes_ends_in_the_end() -> None:
    """A lease table that refuses for five minutes ends the process, for a start to name why."""
    refusals = [CheckpointRefused("KinesisClientLibDependencyException")] * 10_000
    clock = HandClock()
    shard = Position("100", clock, 5, 6, wait=lambda _seconds: clock.turn(1))
    shard.use(FakeCheckpointer(*refusals))
    with pytest.raises(CheckpointRefused):
        shard.hold()
    assert 300 < clock.seconds - 1000 < 310


def test_no_proof_outlives_the_daemon() -> None:
    """When the daemon dies, the process it left behind stops writing at once."""
    daemons, clock = [True], HandClock()
    shard = Position("100", clock, 5, 6, wait=clock.turn, daemon_lives=lambda: daemons[0])
    shard.use(FakeCheckpointer())
    shard.hold()
    assert shard.remaining() > 0
    daemons[0] = False
    assert shard.remaining() == 0


def test_a_lost_lease_stays_lost() -> None:
    """Once lost, the position neither proves nor checkpoints, even if KCL would let it."""
    checkpointer = FakeCheckpointer(LeaseLost)
    shard = position(checkpointer, HandClock())
    with pytest.raises(LeaseLost):
        shard.hold()
    shard.applied("200")
    for action in (shard.hold, shard.checkpoint_now, shard.end_shard):
        with pytest.raises(LeaseLost):
            action()
    assert shard.remaining() == 0 and checkpointer.recorded == []

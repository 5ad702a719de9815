"""How far a shard is safely written, and the proof that writing it is still ours.

A checkpoint does two things here. It records the position to resume from, at most once every few
seconds. And it is a fence: KCL writes it on condition that this worker still owns the lease, so an
accepted checkpoint proves ownership. A worker that slept through its failover time may have lost
the shard; what it then wrote could lay an old image over a newer one, for good.
"""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from kcl_processor.clock import Clock
from kcl_processor.replicate.backoff import delay

_log = logging.getLogger(__name__)

# Attempts for a checkpoint at a hand-over; with the capped backoff some seconds, well inside the
# daemon's shutdownGraceMillis.
_ATTEMPTS = 8
# Seconds to go on asking for a proof, or for a shard's end. A start afterwards says by name what
# KCL's table refuses.
_PATIENCE = 300.0
# Share of a proof's lifetime that must be left for a request to start. A checkpoint each five
# seconds of a proof of six renews it in passing.
_RENEW_AT = 1 / 6


class LeaseLost(Exception):
    """Another worker owns the shard, or is about to: write no more. Normal life in a fleet."""


class CheckpointRefused(Exception):
    """KCL cannot record the checkpoint, for a reason that has nothing to do with ownership."""


class Checkpointer(Protocol):
    """KCL's side of a checkpoint.

    ``record`` raises :class:`LeaseLost` or :class:`CheckpointRefused`. Recording the position that
    was recorded last is not a no-op: the daemon then proves ownership by a conditional write.
    """

    def record(self, sequence_number: str | None) -> None:
        """Checkpoint at a position; ``None`` is the end of what was delivered."""


class Position:
    """The position of one shard: applied, checkpointed, and proven to be ours.

    The proof makes it the fence that the writer holds to.

    Args:
        start: the checkpoint the shard starts from; a sequence number or ``TRIM_HORIZON``.
        interval: seconds between checkpoints while changes flow.
        proof_lifetime: seconds for which an accepted checkpoint proves ownership. It must be
            shorter than KCL's ``failoverTimeMillis``: no worker takes a lease before that.
        wait: waits for some seconds before another attempt.
        in_doubt: the sequence number of the oldest change that is in doubt, if one is. Checkpoints
            stay behind it, so that a restart reads it again.
        daemon_lives: whether the daemon that holds the lease is still there. A new one of the
            same worker id may start, and write, well within the lifetime of our last proof.
    """

    def __init__(
        self,
        start: str,
        clock: Clock,
        interval: float,
        proof_lifetime: float,
        wait: Callable[[float], None],
        daemon_lives: Callable[[], bool] = lambda: True,
        in_doubt: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._safe = start
        self._behind_safe: deque[str] = deque()
        self._in_doubt = in_doubt
        self._recorded = self._applied = start
        self._clock = clock
        self._interval = interval
        self._proof_lifetime = proof_lifetime
        self._wait = wait
        self._daemon_lives = daemon_lives
        self._recorded_at = clock.elapsed()
        self._proven_at: float | None = None
        self._checkpointer: Checkpointer | None = None
        self.lost = False

    def use(self, checkpointer: Checkpointer) -> None:
        """Use this checkpointer until the next one; each KCL call brings its own."""
        self._checkpointer = checkpointer

    def applied(self, sequence_number: str) -> None:
        """Everything up to this record is durable on the destination, but for what is in doubt."""
        self._behind_safe.append(sequence_number)
        self._applied = sequence_number

    def checkpoint_if_due(self) -> None:
        """Checkpoint if there is something new and the interval has passed.

        Raises:
            LeaseLost: the shard is no longer ours.
        """
        due = self._clock.elapsed() - self._recorded_at >= self._interval
        if due and self._settled() != self._recorded:
            try:
                self._record(self._safe)
            except CheckpointRefused as refusal:
                # The next batch brings another occasion, and the fence watches ownership.
                _log.warning("a checkpoint was put off: %s", refusal)

    def checkpoint_now(self) -> None:
        """Checkpoint what is safe, whatever the interval; the shard is being handed over.

        Raises:
            LeaseLost: the shard is no longer ours.
            CheckpointRefused: KCL refused, attempt after attempt.
        """
        if self._settled() != self._recorded:
            self._insist(self._safe)

    def end_shard(self) -> None:
        """Checkpoint the shard's end, so that KCL starts its children; nothing may be in doubt.

        Raises:
            LeaseLost, CheckpointRefused: as for :meth:`hold`.
        """
        asked_at = self._clock.elapsed()
        for attempts in itertools.count(1):
            try:
                return self._record(None)
            except CheckpointRefused as refusal:
                _log.warning("the shard's end cannot be recorded yet: %s", refusal)
                self._await_table(refusal, asked_at, attempts)

    def hold(self) -> None:
        """Prove ownership again if the last proof is old, so that an attempt has time to end.

        Raises:
            LeaseLost: the shard is no longer ours.
            CheckpointRefused: it could not be proven for so long that KCL, which renews the lease
                by the same calls, is no better off.
        """
        attempts, asked_at = 0, self._clock.elapsed()
        needed = self._proof_lifetime * _RENEW_AT
        while self.remaining() <= needed:
            # What an answer that was slow leaves is enough.
            needed = 0.0
            try:
                self._record(self._settled())
            except CheckpointRefused as refusal:
                attempts += 1
                _log.warning("ownership cannot be proven yet, nothing is written: %s", refusal)
                self._await_table(refusal, asked_at, attempts)

    def remaining(self) -> float:
        """Seconds for which the last proof of ownership still allows to write; 0 when it does not.

        Cheap, and safe to ask from any thread.
        """
        proven_at = self._proven_at
        if self.lost or proven_at is None or not self._daemon_lives():
            return 0.0
        return max(0.0, proven_at + self._proof_lifetime - self._clock.elapsed())

    def unrecorded(self) -> float:
        """Seconds since the last checkpoint, if something was applied that it does not hold.

        Cheap, and safe to ask from any thread.
        """
        waits = self._applied != self._recorded
        return self._clock.elapsed() - self._recorded_at if waits else 0.0

    def _settled(self) -> str:
        """The end of the last batch before the first one that has a change in doubt."""
        oldest = self._in_doubt()
        behind = self._behind_safe
        while behind and (oldest is None or int(behind[0]) < int(oldest)):
            self._safe = behind.popleft()
        return self._safe

    def _await_table(self, refusal: CheckpointRefused, asked_at: float, attempts: int) -> None:
        if self._clock.elapsed() - asked_at > _PATIENCE:
            raise refusal
        self._wait(delay(attempts))

    def _insist(self, sequence_number: str) -> None:
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._record(sequence_number)
            except CheckpointRefused as refusal:
                _log.warning("checkpoint attempt %d of %d: %s", attempt, _ATTEMPTS, refusal)
                self._wait(delay(attempt))
        self._record(sequence_number)

    def _record(self, sequence_number: str | None) -> None:
        if self.lost or self._checkpointer is None:
            raise LeaseLost
        # The lease is ours from some moment after this one, so the proof counts from here.
        asked_at = self._clock.elapsed()
        try:
            self._checkpointer.record(sequence_number)
        except LeaseLost:
            self.lost = True
            raise
        self._proven_at = self._recorded_at = asked_at
        self._recorded = sequence_number or self._recorded

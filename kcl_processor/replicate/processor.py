"""The record processor: one shard's stream records in, the destination's writes out.

kclpy swallows every exception of a record processor and reports success, and the next checkpoint
would pass the lost records; only ``SystemExit`` gets out. So each action here ends in one of three
ways: done, lease lost (which is done, too), or the process ends with an exit code that says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from amazon_kclpy import kcl, messages
from amazon_kclpy.checkpoint_error import CheckpointError
from amazon_kclpy.v3 import processor as kclpy

from kcl_processor.clock import Clock
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.checkpoint import CheckpointRefused, LeaseLost, Position
from kcl_processor.replicate.coalesce import coalesce
from kcl_processor.replicate.delivery import Reader
from kcl_processor.replicate.write import Writer

_log = logging.getLogger(__name__)


class Shard(Protocol):
    """What belongs to one shard and is made when its id is known."""

    reader: Reader
    writer: Writer
    position: Position

    def batch_done(self, changes: list[Change], behind_ms: int | None) -> None:
        """The changes of one delivery are durable; ``behind_ms`` is KCL's lag, if it has one."""


class ReplicaProcessor(kclpy.RecordProcessorBase):  # type: ignore[misc]
    """Applies one shard to the destination table.

    Args:
        open_shard: makes the shard's writer and position from its id and starting checkpoint.
        busy: entered while an action runs; a watchdog that ends the process if one hangs.
        lost_patience: seconds KCL may go on delivering records after the lease was lost. Those
            records are not written, so after that only a restart brings the shard back to work.
    """

    def __init__(
        self,
        open_shard: Callable[[str, str], Shard],
        clock: Clock,
        busy: Callable[[], Any],
        lost_patience: float,
    ) -> None:
        self._open_shard = open_shard
        self._clock = clock
        self._busy = busy
        self._lost_patience = lost_patience
        self._lost_at: float | None = None

    def initialize(self, initialize_input: messages.InitializeInput) -> None:
        with self._action(None):
            start = initialize_input.sequence_number
            self._shard = self._open_shard(initialize_input.shard_id, start)
            _log.info("starts at %s", start)

    def process_records(self, process_records_input: messages.ProcessRecordsInput) -> None:
        with self._action(process_records_input.checkpointer):
            self._still_ours()
            changes, writes = self._shard.reader.read(process_records_input.records)
            position = self._shard.position
            # Without changes, too: what is in doubt has its time.
            self._shard.writer.write(coalesce(writes), fence=position)
            if changes:
                position.applied(changes[-1].sequence_number)
            self._shard.batch_done(changes, process_records_input.millis_behind_latest)
            position.checkpoint_if_due()

    def lease_lost(self, _: messages.LeaseLostInput) -> None:
        _log.info("the lease was let go")

    def shard_ended(self, shard_ended_input: messages.ShardEndedInput) -> None:
        with self._action(shard_ended_input.checkpointer):
            self._still_ours()
            self._shard.writer.settle(fence=self._shard.position)
            self._shard.position.end_shard()
            _log.info("read to its end")

    def shutdown_requested(self, shutdown_requested_input: messages.ShutdownRequestedInput) -> None:
        with self._action(shutdown_requested_input.checkpointer):
            self._still_ours()
            self._shard.position.checkpoint_now()
            _log.info("checkpointed for shutdown")

    def _still_ours(self) -> None:
        if self._shard.position.lost:
            raise LeaseLost

    @contextmanager
    def _action(self, checkpointer: kcl.Checkpointer | None) -> Iterator[None]:
        # amazon-kclpy passes over every other error, and reports the batch as done.
        try:
            with self._busy():
                if checkpointer is not None:
                    self._shard.position.use(_KclCheckpointer(checkpointer))
                yield
        except LeaseLost:
            self._after_loss()
        except OperatorError as error:
            _log.error("%s Try: %s", error.message, error.hint)
            raise SystemExit(int(error.exit_code)) from error
        except CheckpointRefused as refusal:
            _log.error("no checkpoint could be made: %s", refusal)
            raise SystemExit(int(ExitCode.CRASH)) from refusal
        except Exception as error:
            _log.exception("an unforeseen error ends this record processor")
            raise SystemExit(int(ExitCode.BUG)) from error

    def _after_loss(self) -> None:
        now = self._clock.elapsed()
        if self._lost_at is None:
            self._lost_at = now
            _log.info("the lease is lost; nothing more is written here")
        elif now - self._lost_at > self._lost_patience:
            _log.error(
                "the lease was lost %.0f s ago and KCL still delivers records: starting over",
                now - self._lost_at,
            )
            raise SystemExit(int(ExitCode.CRASH))


class _KclCheckpointer:
    """KCL's checkpointer in the words of :mod:`kcl_processor.replicate.checkpoint`."""

    def __init__(self, checkpointer: kcl.Checkpointer) -> None:
        self._checkpointer = checkpointer

    def record(self, sequence_number: str | None) -> None:
        try:
            self._checkpointer.checkpoint(sequence_number)
        except CheckpointError as error:
            # The daemon sends the simple name of KCL's exception (MultiLang protocol).
            if error.value == "ShutdownException":
                raise LeaseLost from error
            if error.value in _PASSING:
                raise CheckpointRefused(error.value) from error
            raise


# software.amazon.kinesis.exceptions: all but these two, and ShutdownException, are for good.
_PASSING = ("ThrottlingException", "KinesisClientLibDependencyException")

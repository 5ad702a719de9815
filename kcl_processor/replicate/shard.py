"""Wiring for one shard: its writer, its position, its figures."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kcl_processor.aws.wire import endpoint
from kcl_processor.clock import Clock
from kcl_processor.config.settings import Settings
from kcl_processor.config.task import SKIP, STOP
from kcl_processor.log import speak_for, spoken_for
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.checkpoint import Position
from kcl_processor.replicate.consumption import Consumption, CountedTable
from kcl_processor.replicate.delivery import PlainReader, Reader, RuledReader
from kcl_processor.replicate.destination import DestinationTable
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.replicate.metrics import CloudWatch, Reporter
from kcl_processor.replicate.refusals import DeadLetters, Origin, Refusals, StopOnRefusal
from kcl_processor.replicate.write import Writer
from kcl_processor.state.dead_letters import open_place

_log = logging.getLogger(__name__)

# Seconds between progress lines of one shard.
_PROGRESS_INTERVAL = 60.0
# Share of a proof's lifetime for which the kernel goes on sending what the destination has not
# acknowledged: six tenths of the failover time become nine.
_UNACKNOWLEDGED = 0.5
# Seconds that the last figures may hold up the end of the process.
_LAST_FIGURES = 3.0
# Connections that are kept for all shards of a process, at most a quarter of the files that it may
# have open; what is more is closed after each use.
_SHARDS_CONNECTIONS = min(1024, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)


class OpenShard:
    """One shard at work.

    Args:
        close: lets go of what was made for it alone; nothing may be under way.
    """

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        position: Position,
        figures: ShardFigures,
        close: Callable[[], None],
        clock: Clock,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.position = position
        self._figures = figures
        self.close = close
        self._clock = clock
        self._told_at = clock.elapsed()
        self._changes = 0

    def batch_done(self, changes: list[Change], behind_ms: int | None) -> None:
        """Count a delivery; at a steady, low rate, log how far the shard is."""
        self._figures.batch_done(changes, behind_ms)
        self._changes += len(changes)
        now = self._clock.elapsed()
        if self._changes and now - self._told_at >= _PROGRESS_INTERVAL:
            _log.info(
                "%d changes in %.0f s; since the start %d items written, %d retried; behind by %s",
                self._changes,
                now - self._told_at,
                self.writer.tally.written,
                self.writer.tally.retried,
                "-" if behind_ms is None else f"{behind_ms / 1000:.1f} s",
            )
            self._told_at, self._changes = now, 0


class ShardOpener:
    """Makes what each shard of a process needs, once its id is known.

    Args:
        proof_lifetime: seconds for which a checkpoint proves that the lease is ours.
        wait: waits for some seconds.
        on_progress: told of all that ends: an attempt to write, to checkpoint, to set aside.
        daemon_lives: whether the daemon that this process belongs to is still there.
        consumption: counts what is consumed of the destination.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        proof_lifetime: float,
        wait: Callable[[float], None],
        on_progress: Callable[[], None],
        daemon_lives: Callable[[], bool],
        consumption: Consumption,
    ) -> None:
        self._daemon_lives = daemon_lives
        self._settings = settings
        self._transform = settings.transform()
        self._clock = clock
        self._proof_lifetime = proof_lifetime
        self._wait = wait
        self._on_progress = on_progress
        table = DestinationTable(
            settings.destination_table,
            endpoint(
                settings.destination_region,
                settings.destination_endpoint,
                settings.destination_access,
                _SHARDS_CONNECTIONS,
                clock,
                unacknowledged=proof_lifetime * _UNACKNOWLEDGED,
                # A daemon that follows on this host waits for the end of this process, and so the
                # answer is worth more than an early end.
                last=lambda: not daemon_lives(),
            ),
            lambda: consumption.is_counted,
        )
        self._destination = CountedTable(table, consumption)

        publish = (
            CloudWatch(
                settings.application_name,
                settings.metrics_region,
                settings.metrics_endpoint,
                settings.metrics_access,
                clock,
            )
            if settings.metrics_publish
            else None
        )
        self._reporter = Reporter(
            Path(settings.heartbeats), Path(settings.gap_file), publish, clock
        )

    def open(self, shard_id: str, start: str) -> OpenShard:
        """Open a shard at its starting checkpoint, on the thread that will work for it."""
        connections = self._settings.connections
        pool = ThreadPoolExecutor(
            connections,
            thread_name_prefix="write",
            initializer=speak_for,
            initargs=(spoken_for(),),
        )
        figures = ShardFigures(self._settings.task, shard_id, self._settings.worker_id, self._clock)
        refusals = self._refusals(shard_id, figures.dead_letter)
        writer = Writer(
            destination=self._destination,
            refusals=refusals,
            clock=self._clock,
            wait=self._pause,
            window=Window(largest=connections),
            pool=pool,
            on_progress=self._on_progress,
        )
        position = Position(
            start,
            self._clock,
            interval=self._settings.checkpoint_interval,
            proof_lifetime=self._proof_lifetime,
            wait=self._pause,
            daemon_lives=self._daemon_lives,
            in_doubt=writer.doubts.oldest,
        )
        figures.tally = writer.tally
        figures.unrecorded = position.unrecorded
        self._reporter.add(figures)

        def close() -> None:
            self._reporter.remove(figures)
            pool.shutdown(wait=False, cancel_futures=True)

        return OpenShard(self._reader(refusals), writer, position, figures, close, self._clock)

    def end(self) -> None:
        """Report the last figures, within a short time or not at all; the process is to end."""
        self._reporter.stop(_LAST_FIGURES)

    def _pause(self, seconds: float) -> None:
        # Who waits for another attempt has had an answer to the last one.
        self._on_progress()
        self._wait(seconds)

    def _reader(self, refusals: Refusals) -> Reader:
        if self._transform is None:
            return PlainReader()
        return RuledReader(
            self._transform,
            refusals,
            Breaker(self._settings.destination_table),
            keep_expired=self._settings.ttl_deletes == SKIP,
        )

    def _refusals(self, shard_id: str, on_dead_letter: Callable[[], None]) -> Refusals:
        origin = Origin(
            self._settings.task,
            self._settings.source_table,
            self._settings.destination_table,
            shard_id,
            self._settings.source_arn,
        )
        if self._settings.on_poison == STOP:
            return StopOnRefusal(origin)
        place = open_place(
            self._settings.dead_letters,
            self._settings.destination_region,
            self._settings.letters_access,
            Path(self._settings.letter_file),
        )
        return DeadLetters(place, origin, self._clock, on_dead_letter, self._pause)

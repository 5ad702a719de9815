"""The figures of one shard, counted by its record processor."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kcl_processor.clock import Clock
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.write import Tally
from kcl_processor.state.heartbeat import LATENCY_BOUNDS, Counts, Heartbeat

# Seconds that rates are taken over.
_RATE_SPAN = 60.0


@dataclass
class Latency:
    """A statistic set, in milliseconds, from the source's write to the destination's."""

    count: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def add(self, created_ms: list[int], now_ms: float) -> None:
        """Add changes that were applied at ``now_ms``.

        The stream's creation times are cut to whole seconds, so each latency is up to a second
        too long. A negative one is two clocks that differ; it counts as zero.
        """
        slowest = max(0.0, now_ms - min(created_ms))
        fastest = max(0.0, now_ms - max(created_ms))
        self.least = fastest if self.count == 0 else min(self.least, fastest)
        self.most = max(self.most, slowest)
        self.total += max(0.0, now_ms * len(created_ms) - sum(created_ms))
        self.count += len(created_ms)

    def join(self, other: Latency) -> None:
        """Add those of another set."""
        if other.count:
            self.least = other.least if self.count == 0 else min(self.least, other.least)
            self.most = max(self.most, other.most)
            self.total += other.total
            self.count += other.count


class Spread:
    """How many latencies were up to each of the bounds."""

    def __init__(self) -> None:
        self.counts = [0] * len(LATENCY_BOUNDS)

    def add(self, created_ms: list[int], now_ms: float) -> None:
        """Add changes that were applied at ``now_ms``."""
        created = sorted(created_ms)
        for at, bound in enumerate(LATENCY_BOUNDS):
            self.counts[at] += len(created) - bisect_left(created, now_ms - bound * 1000)


class ShardFigures:
    """Counts one shard's work on the record processor's thread; other threads take snapshots.

    Attributes:
        tally: what the shard's writer did.
        gaps: how many gaps the daemon noted for the shard.
        unrecorded: for how many seconds what was applied has waited for its checkpoint.
    """

    def __init__(self, task: str, shard: str, worker: str, clock: Clock) -> None:
        self.tally = Tally()
        self.gaps = 0
        self.unrecorded: Callable[[], float] = lambda: 0.0
        self._names = (task, shard, worker)
        self._clock = clock
        self._started_at = clock.now()
        self._lock = threading.Lock()
        self._received = self._batches = self._dead_letters = 0
        self._polled_at: float | None = None
        self._behind_ms: int | None = None
        self._created_ms: int | None = None
        self._all, self._recent = Latency(), Latency()
        self._spread = Spread()
        self._rates = Rates()

    @property
    def started_at(self) -> float:
        """When this shard was opened here."""
        return self._started_at

    def batch_done(self, changes: list[Change], behind_ms: int | None) -> None:
        """Count one delivery whose changes are durable."""
        now = self._clock.now()
        with self._lock:
            self._polled_at = now
            self._behind_ms = self._behind_ms if behind_ms is None else behind_ms
            if changes:
                created = [change.created_ms for change in changes]
                self._received += len(changes)
                self._batches += 1
                self._created_ms = created[-1]
                self._all.add(created, now * 1000)
                self._recent.add(created, now * 1000)
                self._spread.add(created, now * 1000)
            # An empty delivery has read up to this moment, unless others wait behind it.
            waits = (behind_ms or 0) / 1000
            source_time = changes[-1].created_ms / 1000 if changes else now - waits
            self._rates.add(now, self._received, source_time)

    def dead_letter(self) -> None:
        """Count a change that was set aside."""
        self._dead_letters += 1

    def take_latency(self) -> Latency:
        """The latencies since this was last called."""
        with self._lock:
            taken, self._recent = self._recent, Latency()
        return taken

    def heartbeat(self) -> Heartbeat:
        """A snapshot."""
        now = self._clock.now()
        task, shard, worker = self._names
        with self._lock:
            rate_in, rate_out = self._rates.at(now)
            return Heartbeat(
                task=task,
                shard=shard,
                worker=worker,
                pid=os.getpid(),
                started_at=self._started_at,
                beat_at=now,
                polled_at=self._polled_at,
                behind_ms=self._behind_ms,
                created_ms=self._created_ms,
                rate_in=rate_in,
                rate_out=rate_out,
                latency_count=self._all.count,
                latency_ms=self._all.total,
                latency_buckets=list(self._spread.counts),
                unrecorded=self.unrecorded(),
                counts=self._counts(),
            )

    def _counts(self) -> Counts:
        return Counts(
            received=self._received,
            written=self.tally.written,
            refused=self.tally.refused,
            retried=self.tally.retried,
            batches=self._batches,
            dead_letters=self._dead_letters,
            gaps=self.gaps,
        )


class Rates:
    """Changes a second, made by the source and applied here, over the last minute."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int, float]] = deque()

    def add(self, now: float, received: int, source_time: float) -> None:
        """Note a delivery: ``received`` changes in all, those until ``source_time``."""
        # A point a second is enough, and keeps the deque short under a heavy load.
        if len(self._points) > 1 and now - self._points[-2][0] < 1.0:
            self._points.pop()
        self._points.append((now, received, source_time))
        while len(self._points) > 1 and self._points[0][0] < now - _RATE_SPAN:
            self._points.popleft()

    def at(self, now: float) -> tuple[float | None, float | None]:
        """``(in, out)``; ``None`` where the deliveries do not tell.

        Behind, the source's seconds pass faster in the deliveries than on the clock; caught up,
        they are the same, and so are the two rates.
        """
        if not self._points:
            return None, None
        (began, before, source_began), (_, received, source_time) = (
            self._points[0],
            self._points[-1],
        )
        applied = received - before
        passed, source_passed = now - began, source_time - source_began
        return (
            applied / source_passed if source_passed >= 1 else None,
            applied / passed if passed >= 1 else None,
        )

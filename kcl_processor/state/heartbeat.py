"""The heartbeat of one shard: what its record processor has done, in a file on its host.

The lease table holds positions and no rates, so what moves is only known where it moves. Each
record processor keeps its counts in memory and lets a small file show them. ``status``, ``health``
and the Prometheus exporter read those files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path

from kcl_processor.state.durable import replace_file
from kcl_processor.state.record import as_written

# Heartbeats are written every two to ten seconds; one that is older has no process behind it.
STALE_SECONDS = 30.0
# Seconds that changes are counted up to. The stream's times are whole seconds.
LATENCY_BOUNDS = (1, 2, 3, 5, 10, 20, 30, 60, 300, 900, 3_600, 21_600, 64_800)
# Of anything counted or timed here.
_MOST = 2**63


@dataclass(frozen=True)
class Counts:
    """What a shard's record processor has done since it started."""

    received: int = 0
    written: int = 0
    refused: int = 0
    retried: int = 0
    batches: int = 0
    dead_letters: int = 0
    gaps: int = 0

    def since(self, earlier: Counts) -> Counts:
        """The counts that came after ``earlier``."""
        pairs = ((f.name, getattr(self, f.name), getattr(earlier, f.name)) for f in fields(self))
        return Counts(**{name: now - then for name, now, then in pairs})

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            *(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True))
        )


@dataclass(frozen=True)
class Heartbeat:
    """The heartbeat file of one shard on one host. Moments are seconds since the epoch.

    Attributes:
        polled_at: when a delivery, empty or not, was last applied in full.
        behind_ms: KCL's ``millisBehindLatest`` of the last delivery that had one.
        created_ms: when the source made the last change that was applied.
        rate_in: changes a second that the source made, over the changes applied of late.
        rate_out: changes a second applied of late.
        latency_count, latency_ms: changes applied and their summed latency since the start.
        latency_buckets: how many of those changes took up to each of :data:`LATENCY_BOUNDS`;
            ``None`` of an earlier version.
        unrecorded: for how many seconds what was applied had waited for its checkpoint; ``None``
            of an earlier version.
    """

    task: str
    shard: str
    worker: str
    pid: int
    started_at: float
    beat_at: float
    polled_at: float | None
    behind_ms: int | None
    created_ms: int | None
    rate_in: float | None
    rate_out: float | None
    latency_count: int = 0
    latency_ms: float = 0.0
    counts: Counts = field(default_factory=Counts)
    unrecorded: float | None = None
    latency_buckets: list[int] | None = None


def write_heartbeat(folder: Path, beat: Heartbeat) -> None:
    """Leave a heartbeat in ``folder``, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    # The next beat follows in seconds, so the disk need not be waited for.
    replace_file(heartbeat_file(folder, beat.shard), json.dumps(asdict(beat)).encode(), flush=False)


def heartbeat_file(folder: Path, shard: str) -> Path:
    """Where a shard's heartbeat lies; a multi-stream lease key holds colons, a shard id none."""
    return folder / f"{shard.replace(':', '_')}.json"


def read_heartbeats(folder: Path, now: float) -> dict[str, Heartbeat]:
    """Shard id to heartbeat, of the record processors that live on this host.

    Empty when there are none: the daemon is stopped, or runs elsewhere.
    """
    beats = (_read(path) for path in sorted(folder.glob("*.json")))
    return {beat.shard: beat for beat in beats if beat is not None and _lives(beat, now)}


def read_every(folders: Iterable[Path], now: float) -> dict[str, Heartbeat]:
    """As :func:`read_heartbeats` over the folders of several workers; of two for a shard that
    changed hands, the younger."""
    beats = [beat for folder in folders for beat in read_heartbeats(folder, now).values()]
    return {beat.shard: beat for beat in sorted(beats, key=lambda beat: beat.beat_at)}


def remove_stale(folder: Path, now: float) -> None:
    """Remove heartbeats of record processors that died; those that stop remove their own."""
    for path in folder.glob("*.json"):
        beat = _read(path)
        if beat is None or not _lives(beat, now):
            path.unlink(missing_ok=True)


def _lives(beat: Heartbeat, now: float) -> bool:
    """A process that hangs so badly that it does not even beat is still one to complain about."""
    return now - beat.beat_at <= STALE_SECONDS or b"kcl" in _command_line(beat.pid)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _read(path: Path) -> Heartbeat | None:
    """A heartbeat that everybody can compute with; ``None`` if it is none."""
    try:
        read = json.loads(path.read_text())
        counts = as_written(Counts, read["counts"])
        beat = as_written(Heartbeat, {**read, "counts": counts})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    buckets = beat.latency_buckets or []
    values = (*vars(beat).values(), *vars(counts).values(), *buckets)
    numbers = (one for one in values if isinstance(one, int | float))
    return beat if all(-_MOST <= one <= _MOST for one in numbers) else None

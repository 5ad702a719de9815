"""How far behind a task was over the last day: a ring of readings in a file of this host.

A reading a line, as JSON: its moment, the lag, and the time until the stream drops the oldest
change; each in seconds, and ``null`` where it was not known. The file is replaced whole with each
reading, and holds a day of one a minute: 60 KB at most. What is torn or strange in it is passed
over, for a chart with a hole is worth more than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import orjson

from kcl_processor.fleet.stream import RETENTION
from kcl_processor.state.durable import replace_file

# Readings that are kept, and for how many seconds: for as long as the stream keeps a change.
KEPT, SPAN = 1440, RETENTION
# A line has under 50 bytes. Of a larger file, which is not of this module, the end is read.
_MOST_BYTES = 64 * KEPT
# Neither a moment nor a duration is as large: the year 2128.
_MOST = 5e9


@dataclass(frozen=True)
class Reading:
    """One reading. The moment is in seconds since the epoch, the others are durations in seconds.

    Attributes:
        lag: age of the oldest change that is not checkpointed; ``None`` if that was not known.
        trims_in: time until the stream drops it; ``None`` if there was none, or it was not known.
    """

    at: float
    lag: float | None
    trims_in: float | None


class LagHistory:
    """The readings of one task. One thread adds to them, and any may ask for them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readings = tuple(sorted(_read(path), key=lambda one: one.at))

    def add(self, reading: Reading) -> None:
        """Keep a reading, and forget those of more than a day ago.

        A clock that was set back takes those with it that are of the future now.

        Raises:
            OSError: it is not on the disk, and known all the same.
        """
        first = reading.at - SPAN
        before = (one for one in self._readings if first <= one.at < reading.at)
        self._readings = (*before, _rounded(reading))[-KEPT:]
        lines = (orjson.dumps(astuple(one)) for one in self._readings)
        # The next one follows in a minute, so the disk need not be waited for.
        replace_file(self._path, b"\n".join((*lines, b"")), flush=False)

    def since(self, first: float) -> list[Reading]:
        """Those from a moment on, the oldest first."""
        return [one for one in self._readings if one.at >= first]


def _rounded(reading: Reading) -> Reading:
    lag, left = (None if one is None else round(one, 1) for one in (reading.lag, reading.trims_in))
    return Reading(round(reading.at, 1), lag, left)


def _read(path: Path) -> Iterator[Reading]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _MOST_BYTES))
            lines = file.read(_MOST_BYTES).splitlines()
    except OSError:
        return
    for line in lines:
        try:
            at, lag, left = orjson.loads(line)
        except (ValueError, TypeError):
            continue
        if _is_number(at) and all(one is None or _is_number(one) for one in (lag, left)):
            yield Reading(at, lag, left)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= _MOST  # type: ignore[operator]

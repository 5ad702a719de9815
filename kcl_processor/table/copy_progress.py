"""How far a copy is, on disk: what a resumed copy starts from, and what another shell reads.

The file holds keys, never other attributes, and only its owner may read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from kcl_processor.errors import ConfigError
from kcl_processor.state.durable import replace_file

_VERSION = 2
# Version 1 had no token, and the tables' text had no id.
_READABLE = (1, _VERSION)


@dataclass(slots=True)
class SegmentProgress:
    """One segment.

    Attributes:
        after: the last key whose page is durable at the destination, as DynamoDB JSON.
        items: items read from it, all of them durable at the destination.
    """

    after: dict[str, Any] | None = None
    items: int = 0
    done: bool = False


@dataclass(slots=True)
class CopyProgress:
    """A copy, from its first start to its end. Times are seconds since the epoch.

    Attributes:
        source, destination: the tables' incarnations as text, so that a table made anew is not
            mistaken for the one that the copy began with.
        token: the one in the mark that the fleet sees; empty in a copy of an earlier version.
        signs: what the daemon's signs of life came to while it was dead.
        disturbed: the daemon was alive since: the copy cannot be gone on with.
        to_empty: whether the destination was empty as the copy began.
        forced: it may outlast what the stream keeps.
        stream_arn: the stream that holds what changes since ``started_at``.
        written: items that the destination took; ``refused`` were set aside as dead letters.
        seconds: how long the copy has been at work, without the time between its runs.
    """

    source: str
    destination: str
    stream_arn: str
    expected_items: int
    expected_bytes: int
    started_at: float
    segments: list[SegmentProgress]
    token: str = ""
    signs: str = ""
    disturbed: bool = False
    to_empty: bool = True
    forced: bool = False
    updated_at: float = 0.0
    finished_at: float | None = None
    pid: int = 0
    items: int = 0
    bytes: int = 0
    written: int = 0
    refused: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    read_throttled: int = 0
    write_throttled: int = 0
    seconds: float = 0.0
    items_per_second: float = 0.0
    version: int = field(default=_VERSION)

    def seconds_left(self) -> float | None:
        """Seconds until the end at the measured speed; ``None`` when that cannot be known.

        DynamoDB counts a table's items every six hours or so: there may be more than it says.
        """
        if self.finished_at is not None:
            return 0.0
        if not self.items_per_second or self.items >= self.expected_items:
            return None
        return (self.expected_items - self.items) / self.items_per_second


def load(path: Path) -> CopyProgress | None:
    """Read a progress file; ``None`` when there is none.

    Raises:
        ConfigError: it cannot be read or understood.
    """
    try:
        fields = orjson.loads(path.read_bytes())
        if fields.pop("version") not in _READABLE:
            raise ValueError(f"its version is none of {_READABLE}")
        segments = [SegmentProgress(**segment) for segment in fields.pop("segments")]
        return CopyProgress(segments=segments, **fields)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"The copy's progress in {path} cannot be read: {error}.",
            "mend the file, or kcl-processor copy --restart to begin anew",
        ) from error


def save(path: Path, progress: CopyProgress) -> None:
    """Replace the progress file; returns when it is on the disk.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        replace_file(path, orjson.dumps(progress))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "--state-dir with a folder of yours"
        ) from error

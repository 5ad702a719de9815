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

_VERSION = 5
# Version 1 had no token, and the tables' text had no id; version 2 knew no parts, 3 no rules, and 4
# no copy beside the daemon, and none of an export.
_READABLE = (1, 2, 3, 4, _VERSION)


@dataclass(slots=True)
class SegmentProgress:
    """One segment.

    Attributes:
        after: the last key whose page is durable at the destination, as DynamoDB JSON; of an
            export a file's number, and a line's.
        items: items read from it, all of them durable at the destination.
    """

    after: dict[str, Any] | None = None
    items: int = 0
    done: bool = False


@dataclass(slots=True)
class CopyProgress:
    """A copy, or a part of one, from its first start to its end. Times are seconds of the epoch.

    Attributes:
        segments: all of the table's; every ``parts``-th from ``part`` on is copied here.
        source, destination: the tables' incarnations as text, so that a table made anew is not
            mistaken for the one that the copy began with.
        token: the one in the mark that the fleet sees; empty in a copy of an earlier version.
        signs: what the daemon's signs of life came to while it was dead.
        disturbed: the daemon was alive since: the copy cannot be gone on with.
        to_empty: whether the destination was empty as the copy began.
        forced: it may outlast what the stream keeps.
        stream_arn: the stream that holds what changes since ``started_at``.
        rules: the digest of the rules that its items are laid by; empty for none.
        export: the ARN of the export that is copied; empty where the table itself is.
        items, bytes: as they were read at the source.
        written: items that the destination took; ``refused`` were set aside as dead letters.
        there: of those, items where the destination had one already, which was left.
        taken_away: items that were laid, and were gone at the source by then.
        lost: what the daemon was seen to lose beside a live copy, in words.
        outside: items that the rules leave out; ``met`` gave their key to another behind them.
        seconds: how long the copy has been at work, without the time between its runs.
    """

    source: str
    destination: str
    stream_arn: str
    expected_items: int
    expected_bytes: int
    started_at: float
    segments: list[SegmentProgress]
    part: int = 0
    parts: int = 1
    token: str = ""
    signs: str = ""
    disturbed: bool = False
    to_empty: bool = True
    forced: bool = False
    rules: str = ""
    export: str = ""
    updated_at: float = 0.0
    finished_at: float | None = None
    pid: int = 0
    items: int = 0
    bytes: int = 0
    written: int = 0
    refused: int = 0
    there: int = 0
    taken_away: int = 0
    lost: str = ""
    outside: int = 0
    met: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    read_throttled: int = 0
    write_throttled: int = 0
    seconds: float = 0.0
    items_per_second: float = 0.0
    version: int = field(default=_VERSION)

    @property
    def own_segments(self) -> dict[int, SegmentProgress]:
        """The segments that are copied here, by their numbers."""
        return dict(list(enumerate(self.segments))[self.part :: self.parts])

    def seconds_left(self) -> float | None:
        """Seconds until the end at the measured speed; ``None`` when that cannot be known.

        DynamoDB counts a table's items every six hours or so: there may be more than it says.
        """
        if self.finished_at is not None:
            return 0.0
        if not self.items_per_second or self.items >= self.expected_items:
            return None
        return (self.expected_items - self.items) / self.items_per_second


def encode(progress: CopyProgress) -> bytes:
    """The progress as text."""
    return orjson.dumps(progress)


def decode(text: bytes) -> CopyProgress:
    """The progress of a text that :func:`encode` made, in this version or an earlier one.

    Raises:
        ValueError, KeyError, TypeError: it is no such text.
    """
    fields = orjson.loads(text)
    if fields.pop("version") not in _READABLE:
        raise ValueError(f"its version is none of {_READABLE}")
    segments = [SegmentProgress(**segment) for segment in fields.pop("segments")]
    return CopyProgress(segments=segments, **fields)


class ProgressFile:
    """The progress of a whole copy, in a file of this host.

    What only one process of a fleet may keep is kept in a row instead.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> CopyProgress | None:
        """As the function :func:`load`."""
        return load(self._path)

    def save(self, progress: CopyProgress) -> None:
        """As the function :func:`save`."""
        save(self._path, progress)

    def release(self, progress: CopyProgress) -> None:
        """Nothing: the file stays this host's."""


def load(path: Path) -> CopyProgress | None:
    """Read a progress file; ``None`` when there is none.

    Raises:
        ConfigError: it cannot be read or understood.
    """
    try:
        return decode(path.read_bytes())
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
        replace_file(path, encode(progress))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "--state-dir with a folder of yours"
        ) from error

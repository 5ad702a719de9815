"""The data files of an export, read page by page, as a scan's segments are.

Each segment has its share of the files. A file is compressed as a whole, so a place in it is a
line, and whoever goes on from there reads what is before it once more.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any, NoReturn

import orjson
from botocore.exceptions import (
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
)

from kcl_processor.aws import clients
from kcl_processor.aws.codes import code_of, passes
from kcl_processor.config.task import Side
from kcl_processor.errors import SourceError
from kcl_processor.replicate.backoff import delay
from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.export import Export, ExportFile, damaged
from kcl_processor.table.scan import MOST
from kcl_processor.table.table_reader import Item, Page, Segment, item_of

_log = logging.getLogger(__name__)

# A page of a scan is as large.
_PAGE_BYTES = 128 << 10
_PAGE_ITEMS = 1000
# Failures in a row between two lines of log.
_FAILURES_PER_LINE = 15
# What S3 answers where an object is another than the one that was checked.
_CHANGED = ("PreconditionFailed", "412")
# What ends a reading that may go on from where it was.
_TRANSIENT = (ConnectionError, HTTPClientError, IncompleteReadError)


def segments_of(export: Export) -> int:
    """How many segments the files of an export are shared out to."""
    return max(1, min(MOST, len(export.files)))


def files_of(export: Export, segment: Segment) -> list[int]:
    """The numbers of a segment's files."""
    return list(range(segment.number, len(export.files), segment.total))


@dataclass(frozen=True)
class ExportAccess:
    """What it takes to read an export.

    Attributes:
        read: the item of a line; raises what Python does of a wrong form for none.
        open: begins to read a file; raises as botocore does.
        wait: waits for some seconds; what it raises ends a reading.
    """

    export: Export
    read: Callable[[bytes], Item]
    open: Callable[[ExportFile], IO[bytes]]
    wait: Callable[[float], None]


def whole_item(keys: Iterable[str]) -> Callable[[bytes], Item]:
    """What reads the items of a full export.

    Args:
        keys: the names of the table's key attributes.
    """
    names = tuple(keys)
    return lambda line: item_of(orjson.loads(line)["Item"], names)


def changed_item(line: bytes) -> Item:
    """An item of an incremental export: its key, and its image before the span; empty if it was
    not there, or was not asked for."""
    return _of_change(line, "OldImage")


def laid_item(line: bytes) -> Item:
    """An item of an incremental export as it is behind the span; empty if it is not there."""
    return _of_change(line, "NewImage")


def _of_change(line: bytes, which: str) -> Item:
    change = orjson.loads(line)
    key, image = canonical_key(change["Keys"]), change.get(which)
    return Item(key, orjson.dumps(image) if image else b"", key)


def export_access(
    side: Side,
    export: Export,
    read: Callable[[bytes], Item],
    wait: Callable[[float], None],
) -> ExportAccess:
    """An export as it lies in S3; nothing is connected to before the first file is opened."""

    def open_file(file: ExportFile) -> IO[bytes]:
        client = clients.buckets(side)
        answer = client.get_object(Bucket=export.bucket, Key=file.key, IfMatch=file.etag)
        body: IO[bytes] = answer["Body"]
        return body

    return ExportAccess(export, read, open_file, wait)


class ExportCursor:
    """Reads the items of one segment.

    Args:
        after: the file and the line in it to start behind, from an earlier run.
    """

    def __init__(
        self, access: ExportAccess, segment: Segment, after: dict[str, Any] | None = None
    ) -> None:
        self.segment = segment
        self._access = access
        self._files = files_of(access.export, segment)
        self._at = self._files.index(after["file"]) if after else 0
        self._line = after["line"] if after else 0
        self._lines: gzip.GzipFile | None = None
        self._failures = 0

    def more(self) -> bool:
        """Whether there is another page."""
        return self._at < len(self._files)

    def fetch(self) -> Page:
        """Read the next page; a segment of no files has one, which is empty.

        Raises:
            SourceError: a file is gone, or is not what the manifest says.
            PermissionDenied: it may not be read.
        """
        if not self.more():
            return Page([], None, 0.0)
        file, lines = self._file, self._next_lines()
        items = [self._item(file, line) for line in lines]
        after = {"file": self._files[self._at], "line": self._line} if self.more() else None
        return Page(items, after, 0.0)

    def _next_lines(self) -> list[bytes]:
        """Some lines of one file; the place is behind them."""
        while True:
            try:
                lines, ended = self._read()
            except _TRANSIENT as error:
                self._wait_after(error)
            except ClientError as error:
                if not passes(error.response):
                    self._refuse(error)
                self._wait_after(error)
            except (zlib.error, EOFError, gzip.BadGzipFile) as error:
                raise damaged(self._place, f"is damaged: {error}") from error
            else:
                self._failures = 0
                self._pass(len(lines), ended=ended)
                return lines

    def _read(self) -> tuple[list[bytes], bool]:
        """Some lines, and whether the file ends behind them."""
        if self._lines is None:
            self._lines = self._opened()
        lines: list[bytes] = []
        size = 0
        while size < _PAGE_BYTES and len(lines) < _PAGE_ITEMS:
            line = self._lines.readline()
            if not line:
                return lines, True
            lines.append(line)
            size += len(line)
        return lines, False

    def _opened(self) -> gzip.GzipFile:
        lines = gzip.GzipFile(fileobj=self._access.open(self._file))
        for _ in range(self._line):
            lines.readline()
        return lines

    def _pass(self, lines: int, *, ended: bool) -> None:
        """Go on behind lines that were read; behind a file's last one, to the next file."""
        self._line += lines
        listed = self._file.items
        if self._line > listed or (ended and self._line < listed):
            raise damaged(self._place, f"has {self._line} items, and {listed} by the manifest")
        if ended:
            self._at, self._line, self._lines = self._at + 1, 0, None

    def _item(self, file: ExportFile, line: bytes) -> Item:
        try:
            return self._access.read(line)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Of a line that is no item no content is told.
            what = f"has a line that is no item: {type(error).__name__}"
            raise damaged(self._access.export.place(file), what) from None

    @property
    def _file(self) -> ExportFile:
        return self._access.export.files[self._files[self._at]]

    @property
    def _place(self) -> str:
        return self._access.export.place(self._file)

    def _wait_after(self, error: Exception) -> None:
        self._lines = None
        self._failures += 1
        if self._failures % _FAILURES_PER_LINE == 0:
            _log.warning("%s cannot be read: %s", self._place, error)
        self._access.wait(delay(self._failures))

    def _refuse(self, error: ClientError) -> NoReturn:
        if code_of(error.response) in _CHANGED:
            raise damaged(self._place, "is another than when it was checked") from error
        with clients.calling("s3:GetObject", self._place, SourceError, "look at the export"):
            raise error
        raise AssertionError("what is raised in there is raised")

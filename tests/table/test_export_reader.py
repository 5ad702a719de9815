"""The items of an export's files, page by page, whatever happens to the reading."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Sequence
from typing import IO, Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError

from kcl_processor.errors import OperatorError, PermissionDenied, SourceError
from kcl_processor.table.export import Export, ExportFile
from kcl_processor.table.export_reader import (
    ExportAccess,
    ExportCursor,
    changed_item,
    files_of,
    segments_of,
    whole_item,
)
from kcl_processor.table.table_reader import Item, Page, Segment


def text_of(number: int) -> str:
    """A text of a KB that cannot be compressed to much less than half of it."""
    return "".join(hashlib.sha512(f"{number} {at}".encode()).hexdigest() for at in range(8))


def body_of(numbers: Sequence[int]) -> bytes:
    items = ({"pk": {"S": str(number)}, "text": {"S": text_of(number)}} for number in numbers)
    return gzip.compress(b"".join(json.dumps({"Item": item}).encode() + b"\n" for item in items))


class Cut(io.BytesIO):
    """A body that ends before its end, as botocore tells it."""

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        if not found:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
        return found


class Files:
    """Three files in S3, of 400, no and 100 items.

    Args:
        failures: what the first openings come to, in their order: an error that is raised, or how
            many bytes come before the reading is cut.
    """

    def __init__(self, failures: Sequence[Exception | int] = ()) -> None:
        self.bodies = [body_of(range(400)), b"", body_of(range(400, 500))]
        self.items = [400, 0, 100]
        self.opened: list[str] = []
        self.waits = 0
        self._failures = list(failures)

    def open(self, file: ExportFile) -> IO[bytes]:
        self.opened.append(file.key)
        body = self.bodies[int(file.key)]
        if self._failures:
            failure = self._failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return Cut(body[:failure])
        return io.BytesIO(body)

    def wait(self, seconds: float) -> None:
        assert seconds < 5
        self.waits += 1

    def cursor(self, segment: Segment, after: dict[str, Any] | None = None) -> ExportCursor:
        files = tuple(ExportFile(str(at), n, "", "") for at, n in enumerate(self.items))
        export = Export("bucket", "folder/", "arn", 0.0, None, sum(self.items), 0, files)
        return ExportCursor(
            ExportAccess(export, whole_item(["pk"]), self.open, self.wait), segment, after
        )

    def pages(self, segment: Segment, after: dict[str, Any] | None = None) -> list[Page]:
        cursor = self.cursor(segment, after)
        found = []
        while cursor.more():
            found.append(cursor.fetch())
        return found


def numbers(pages: Sequence[Page]) -> list[int]:
    return [int(json.loads(item.key)["pk"]["S"]) for page in pages for item in page.items]


def error(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")


def test_files_are_shared_out_to_segments() -> None:
    """Each is one segment's; one that has none has an empty page."""
    files = Files()
    pages = [files.pages(Segment(number, 2)) for number in range(2)]
    assert sorted(numbers(pages[0]) + numbers(pages[1])) == list(range(500))
    assert files.opened == ["0", "2", "1"]
    assert files.cursor(Segment(4, 5)).fetch() == Page([], None, 0.0)
    export = files.cursor(Segment(0, 1))._access.export
    assert segments_of(export) == 3 and files_of(export, Segment(1, 2)) == [1]


def test_a_page_is_bounded_and_the_last_one_ends_the_segment() -> None:
    """By its bytes; only the last one says that there is nothing behind it."""
    pages = Files().pages(Segment(0, 1))
    assert max(len(page.items) for page in pages) < 150
    assert [page.last_key is None for page in pages] == [False] * (len(pages) - 1) + [True]


def test_any_page_is_gone_on_from() -> None:
    """What was read before it is not read as items again, and nothing behind it is left out."""
    pages = Files().pages(Segment(0, 1))
    for at, page in enumerate(pages[:-1]):
        rest = Files().pages(Segment(0, 1), page.last_key)
        assert numbers(pages[: at + 1]) + numbers(rest) == list(range(500))


@pytest.mark.parametrize(
    "failures",
    [
        [ReadTimeoutError(endpoint_url="s3")],
        [error("SlowDown", 503), error("InternalError", 500)],
        [100, 30_000, 150_000],
    ],
)
def test_a_reading_that_fails_goes_on_where_it_was(failures: list[Exception | int]) -> None:
    """Each item comes once."""
    files = Files(failures)
    assert numbers(files.pages(Segment(0, 1))) == list(range(500))
    assert files.waits == len(failures)


def test_a_change_has_its_key_and_what_was_before() -> None:
    """As the guide shows an incremental export's lines; an insert has nothing before it."""
    line: dict[str, Any] = {
        "Metadata": {"WriteTimestampMicros": {"N": "1680109764000000"}},
        "Keys": {"sk": {"N": "1"}, "pk": {"S": "a"}},
        "NewImage": {"pk": {"S": "a"}, "sk": {"N": "1"}},
    }
    key = b'{"pk":{"S":"a"},"sk":{"N":"1"}}'
    assert changed_item(json.dumps(line).encode()) == Item(key, b"", key)
    line["OldImage"] = line.pop("NewImage")
    assert changed_item(json.dumps(line).encode()) == Item(key, key, key)


@pytest.mark.parametrize(
    ("code", "status", "kind", "told"),
    [
        ("PreconditionFailed", 412, SourceError, "s3://bucket/0 is another than when it was"),
        ("NoSuchKey", 404, SourceError, "s3:GetObject on s3://bucket/0 failed"),
        ("AccessDenied", 403, PermissionDenied, "s3:GetObject on s3://bucket/0 is denied"),
    ],
)
def test_what_does_not_pass_ends_the_reading(
    code: str, status: int, kind: type[OperatorError], told: str
) -> None:
    """With the file's name."""
    with pytest.raises(kind, match=told):
        Files([error(code, status)]).pages(Segment(0, 1))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (body_of(range(399)), "/0 has 399 items, and 400 by the manifest"),
        (body_of(range(401)), "/0 has 401 items, and 400 by the manifest"),
        (body_of(range(400))[:-40_000], "/0 is damaged: Compressed file ended"),
        (b"no gzip", "/0 is damaged: Not a gzipped file"),
        (gzip.compress(b'{"Keys":{"pk":{"S":"secret"}}}\n'), "/0 has a line that is no item: KeyE"),
        (gzip.compress(b'{"Item":{"p":{"S":"secret"}}}\n'), "/0 has a line that is no item: KeyE"),
        (gzip.compress(b'"secret"\n'), "/0 has a line that is no item: TypeError"),
        (gzip.compress(b"secret\n"), "/0 has a line that is no item: JSONDecodeError"),
    ],
    # Compressed, they hold the moment, and each process would call them otherwise.
    ids=["few", "many", "torn", "plain", "no item", "no key", "text", "no json"],
)
def test_a_file_that_is_not_what_the_manifest_says_is_told(body: bytes, told: str) -> None:
    """By its name, and nothing of its contents is."""
    files = Files()
    files.bodies[0] = body
    if "line" in told:
        files.items[0] = 1
    with pytest.raises(SourceError, match=told) as raised:
        files.pages(Segment(0, 1))
    assert "secret" not in str(raised.value)

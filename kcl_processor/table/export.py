"""An export of a DynamoDB table to S3, as its manifests describe it, checked before it is used.

The form is the developer guide's ("DynamoDB table export output format"): a summary, a list of data
files, one JSON object a line, and each file's MD5 as it lies there; beside a manifest its own MD5,
in a file that ends with ``.md5`` (``.checksum`` in the guide). An export that was copied to another
bucket or folder is found by its manifests: their keys are read as relative to where they lie.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from kcl_processor.aws import clients
from kcl_processor.aws.clients import CONNECTIONS
from kcl_processor.config.task import Side
from kcl_processor.errors import ConfigError, SourceError
from kcl_processor.launch.incarnation import Incarnation

_SUMMARY = "manifest-summary.json"
_FORM = "DYNAMODB_JSON"
_FULL, INCREMENTAL = "FULL_EXPORT", "INCREMENTAL_EXPORT"
_HINT = "name the folder of one export as it is: s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT_ID/"
_ANEW = "export the table again, or copy the export again from where it is whole"
_DIGESTS = (".md5", ".checksum")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ExportFile:
    """A data file.

    Attributes:
        key: where it lies in the bucket.
        items: how many lines it has.
        md5: of the object as it lies there, in base64.
        etag: the object's, so that no other is read in its place.
    """

    key: str
    items: int
    md5: str
    etag: str


@dataclass(frozen=True)
class Export:
    """An export of a task's table.

    Attributes:
        bucket, folder: where it lies; the folder ends with a slash.
        arn: tells it from every other.
        time: the moment whose items it holds, seconds since the epoch; of an incremental one, the
            end of its span.
        since: the begin of that span; ``None`` of a full one.
        bytes: as AWS bills it.
        files: in the order of the manifest.
    """

    bucket: str
    folder: str
    arn: str
    time: float
    since: float | None
    items: int
    bytes: int
    files: tuple[ExportFile, ...]

    @property
    def url(self) -> str:
        """As an operator names it."""
        return f"s3://{self.bucket}/{self.folder}"

    def place(self, file: ExportFile) -> str:
        """Where a file lies, for errors."""
        return f"s3://{self.bucket}/{file.key}"


def damaged(place: str, what: str) -> SourceError:
    """The error for a part of an export that is missing, or is not what its manifest says."""
    return SourceError(f"The export's file {place} {what}.", _ANEW)


def open_export(side: Side, url: str, table: Incarnation, *, incremental: bool = False) -> Export:
    """Read an export's manifests.

    Args:
        side: with whose credentials.
        url: of its folder, or of its summary, as ``s3://BUCKET/KEY``.
        table: the one that it is to be of.
        incremental: it is to be of what changed in a span of time, and not of the whole table.

    Raises:
        ConfigError: that is no such URL.
        SourceError: there is no export, or a manifest is damaged; or it is of another table, of
            another kind or in another format.
        PermissionDenied: a call is denied.
    """
    bucket, folder = _place(url)
    reading = _Bucket(side, bucket)
    summary_key = folder + _SUMMARY
    summary = _parsed(reading, summary_key, orjson.loads)
    try:
        _refuse_other_kind(summary, reading.place(folder), incremental=incremental)
        _refuse_other_table(summary, reading.place(folder), table)
        there = summary["manifestFilesS3Key"]
        files_key = folder + posixpath.basename(there)
        moved = _moved(posixpath.dirname(there), folder)
        lines = _parsed(reading, files_key, lambda text: [*map(orjson.loads, text.splitlines())])
        files = tuple(
            ExportFile(
                moved(line["dataFileS3Key"]),
                int(line["itemCount"]),
                line["md5Checksum"],
                line["etag"],
            )
            for line in lines
        )
        export = Export(
            bucket,
            folder,
            summary["exportArn"],
            _seconds(summary["exportToTime" if incremental else "exportTime"]),
            _seconds(summary["exportFromTime"]) if incremental else None,
            int(summary["itemCount"]),
            int(summary.get("billedSizeBytes", 0)),
            files,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"is no manifest: {type(error).__name__} {error}"
        raise damaged(reading.place(summary_key), what) from error
    listed = sum(file.items for file in files)
    if listed != export.items:
        raise damaged(
            reading.place(files_key),
            f"lists {listed} items in {len(files)} files, and the summary says {export.items}",
        )
    return export


def check_files(side: Side, export: Export, numbers: Sequence[int]) -> Export:
    """Make sure that data files are there and are whole, before anything of them is written.

    An object whose ETag is the one that the export gave it is that object. Any other, as of an
    export that was copied, is read for its MD5.

    Args:
        numbers: of the files.

    Returns:
        the export, its files with the ETags that they have now.

    Raises:
        SourceError: one is missing or damaged, told by name.
        PermissionDenied: a call is denied.
    """
    reading = _Bucket(side, export.bucket)
    folders = {posixpath.dirname(export.files[number].key) for number in numbers}
    etags = {key: etag for folder in sorted(folders) for key, etag in reading.listed(folder + "/")}

    def checked(number: int) -> ExportFile:
        file = export.files[number]
        if file.key not in etags:
            raise damaged(export.place(file), "is missing")
        if etags[file.key] != file.etag and reading.md5(file.key) != file.md5:
            raise damaged(export.place(file), "is damaged: its MD5 is not the manifest's")
        return replace(file, etag=etags[file.key])

    files = list(export.files)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="check") as pool:
        for number, file in zip(numbers, pool.map(checked, numbers), strict=True):
            files[number] = file
    return replace(export, files=tuple(files))


class _Bucket:
    """Reads a bucket with a side's credentials."""

    def __init__(self, side: Side, name: str) -> None:
        self._client = clients.buckets(side)
        self._name = name

    def read(self, key: str) -> bytes | None:
        """A small object, or ``None`` where there is none."""
        with self._calling("GetObject", key):
            try:
                body = self._client.get_object(Bucket=self._name, Key=key)["Body"]
            except self._client.exceptions.NoSuchKey:
                return None
            return bytes(body.read())

    def listed(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Each object's key, and its ETag without its quotes."""
        with self._calling("ListBucket", prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._name, Prefix=prefix):
                for found in page.get("Contents", ()):
                    yield found["Key"], found["ETag"].strip('"')

    def md5(self, key: str) -> str:
        """Of an object as it lies there, in base64."""
        digest = hashlib.md5(usedforsecurity=False)
        with self._calling("GetObject", key):
            body = self._client.get_object(Bucket=self._name, Key=key)["Body"]
            for chunk in body.iter_chunks(_CHUNK):
                digest.update(chunk)
        return base64.b64encode(digest.digest()).decode()

    def place(self, key: str) -> str:
        return f"s3://{self._name}/{key}"

    def _calling(self, action: str, key: str) -> Any:
        return clients.calling(f"s3:{action}", self.place(key), SourceError, _HINT)


def _parsed(reading: _Bucket, key: str, parse: Callable[[bytes], Any]) -> Any:
    """A manifest, held against the MD5 that lies beside it, if that does."""
    text = reading.read(key)
    if text is None:
        raise SourceError(f"There is no {reading.place(key)}: no export ended there.", _HINT)
    digest = hashlib.md5(text, usedforsecurity=False).digest()
    stem = posixpath.splitext(key)[0]
    for ending in _DIGESTS:
        said = reading.read(stem + ending)
        if said and said.strip() not in (base64.b64encode(digest), digest.hex().encode()):
            raise damaged(reading.place(key), f"is damaged: its MD5 is not in {stem}{ending}")
    try:
        return parse(text)
    except ValueError as error:
        raise damaged(reading.place(key), f"is no manifest: {error}") from error


def _place(url: str) -> tuple[str, str]:
    """The bucket and the folder that a URL names."""
    parts = urlsplit(url)
    folder = parts.path.strip("/").removesuffix(_SUMMARY).rstrip("/")
    if parts.scheme != "s3" or not parts.netloc or not folder:
        raise ConfigError(f"{url} names no export in S3.", _HINT)
    return parts.netloc, f"{folder}/"


def _moved(there: str, folder: str) -> Callable[[str], str]:
    """Where a key of a manifest lies, whose folder was ``there`` and is ``folder``.

    The files of an incremental export lie beside its folder, those of a full one in it.
    """
    beside = (posixpath.dirname(there), posixpath.dirname(folder.rstrip("/")))

    def moved(key: str) -> str:
        for before, now in ((there, folder.rstrip("/")), beside):
            if before and key.startswith(f"{before}/"):
                return f"{now}{key.removeprefix(before)}".lstrip("/")
        return key

    return moved


def _refuse_other_kind(summary: dict[str, Any], place: str, *, incremental: bool) -> None:
    kind = INCREMENTAL if "exportFromTime" in summary else summary.get("exportType", _FULL)
    if (kind == INCREMENTAL) != incremental:
        raise SourceError(
            f"The export {place} is {kind}: "
            + (
                "it holds a whole table, and not what changed in a span of time."
                if incremental
                else "it holds what changed in a span of time, and not the whole table."
            ),
            f"an export with --export-type {INCREMENTAL if incremental else _FULL}",
        )
    if summary["outputFormat"] != _FORM:
        raise SourceError(
            f"The export {place} is in the format {summary['outputFormat']}.",
            f"export the table again, with --export-format {_FORM}",
        )


def _refuse_other_table(summary: dict[str, Any], place: str, table: Incarnation) -> None:
    arn, table_id = summary["tableArn"], summary.get("tableId", "")
    if arn == table.arn and (not table_id or not table.table_id or table_id == table.table_id):
        return
    raise SourceError(
        f"The export {place} is of table {arn} {table_id}, and is to be of {table}.",
        "an export of the task's own table, as it is now",
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()

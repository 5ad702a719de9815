"""Exports in S3 in the form that the developer guide gives, written by a test."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3

from kcl_processor.launch.incarnation import Incarnation

Item = dict[str, Any]


@dataclass
class Written:
    """An export that is to be written.

    Attributes:
        files: of each data file, its lines.
        time: seconds since the epoch; by default late enough for a stream that was just turned on.
        since: the begin of the span of an incremental export.
    """

    table: Incarnation
    files: Sequence[Sequence[Any]]
    time: float = field(default_factory=lambda: time.time() + 10)
    since: float | None = None
    form: str = "DYNAMODB_JSON"
    prefix: str = "from-aws"
    bucket: str = field(default_factory=lambda: f"exports-{uuid.uuid4().hex[:8]}")
    id: str = field(default_factory=lambda: f"01693685827463-{uuid.uuid4().hex[:8]}")

    @property
    def base(self) -> str:
        return f"{self.prefix}/AWSDynamoDB"

    @property
    def folder(self) -> str:
        return f"{self.base}/{self.id}"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.folder}/"

    def data_key(self, number: int) -> str:
        """Those of an incremental export lie in one folder that all of them share."""
        return f"{self.base if self.since else self.folder}/data/{self.id[-8:]}{number:04}.json.gz"

    def write(self, s3: Any) -> Written:
        """Put all of it into the bucket, which is made."""
        s3.create_bucket(Bucket=self.bucket)
        self._put(s3, f"{self.folder}/_started", b"")
        listed = []
        for number, lines in enumerate(self.files):
            body = gzip.compress(
                b"".join(json.dumps(line, default=_base64).encode() + b"\n" for line in lines)
            )
            etag = self._put(s3, self.data_key(number), body)
            listed.append(
                {
                    "itemCount": len(lines),
                    "md5Checksum": base64.b64encode(hashlib.md5(body).digest()).decode(),
                    "etag": etag,
                    "dataFileS3Key": self.data_key(number),
                }
            )
        text = "\n".join(map(json.dumps, listed))
        self._put_with_md5(s3, f"{self.folder}/manifest-files", text)
        self._put_with_md5(s3, f"{self.folder}/manifest-summary", json.dumps(self.summary()))
        return self

    def summary(self) -> dict[str, Any]:
        """The summary's fields."""
        moments = (
            {
                "exportFromTime": _iso(self.since),
                "exportToTime": _iso(self.time),
                "exportType": "INCREMENTAL_EXPORT",
                "outputView": "NEW_IMAGE",
            }
            if self.since
            else {"exportTime": _iso(self.time)}
        )
        return {
            "version": "2023-08-01" if self.since else "2020-06-30",
            "exportArn": f"{self.table.arn}/export/{self.id}",
            "startTime": _iso(self.time),
            "endTime": _iso(self.time),
            "tableArn": self.table.arn,
            "tableId": self.table.table_id,
            **moments,
            "s3Bucket": self.bucket,
            "s3Prefix": self.prefix,
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": None,
            "manifestFilesS3Key": f"{self.folder}/manifest-files.json",
            "billedSizeBytes": 4096,
            "itemCount": sum(map(len, self.files)),
            "outputFormat": self.form,
        }

    def _put(self, s3: Any, key: str, body: bytes) -> str:
        return str(s3.put_object(Bucket=self.bucket, Key=key, Body=body)["ETag"].strip('"'))

    def _put_with_md5(self, s3: Any, stem: str, text: str) -> None:
        self._put(s3, f"{stem}.json", text.encode())
        self._put(s3, f"{stem}.md5", base64.b64encode(hashlib.md5(text.encode()).digest()))


def buckets(url: str) -> Any:
    """A client of the S3 at an endpoint."""
    return boto3.client("s3", region_name="us-east-1", endpoint_url=url)


def whole(items: Sequence[Item], files: int) -> list[list[dict[str, Item]]]:
    """The lines of a full export's files; the last of them is of an empty partition."""
    return [[{"Item": one} for one in items[at :: files - 1]] for at in range(files - 1)] + [[]]


def _base64(value: bytes) -> str:
    """A binary as boto3 has it, as it stands in a file."""
    return base64.b64encode(value).decode()


def _iso(moment: float) -> str:
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")

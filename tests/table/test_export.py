"""What an export's manifests say is held against the task and against what lies in S3."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError, SourceError
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table.export import Export, check_files, open_export
from tests.kcl_tables import make_task
from tests.table.exported import Written, buckets, whole

TABLE = Incarnation("arn:aws:dynamodb:us-east-1:123456789012:table/orders", 1.0, "id-1")
ITEMS = [{"pk": {"S": f"order-{number}"}, "n": {"N": str(number)}} for number in range(25)]


@pytest.fixture
def s3(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    return buckets(moto_url)


@pytest.fixture
def task(moto_url: str) -> Task:
    return make_task(moto_url)


def opened(task: Task, url: str, **options: Any) -> Export:
    """An export that was found, with all its files checked."""
    export = open_export(task.source, url, TABLE, **options)
    return check_files(task.source, export, range(len(export.files)))


def test_an_export_is_read_from_its_manifests(s3: Any, task: Task) -> None:
    """Its time, its items, its files; by its folder and by its summary."""
    written = Written(TABLE, whole(ITEMS, 4), time=1_700_000_000.5).write(s3)
    for url in (written.url, written.url.rstrip("/"), f"{written.url}manifest-summary.json"):
        export = opened(task, url)
        assert (export.time, export.since, export.items) == (1_700_000_000.5, None, 25)
        assert [file.items for file in export.files] == [9, 8, 8, 0]
        assert export.arn.endswith(f"/export/{written.id}") and export.url == written.url


def test_an_incremental_export_is_read_from_its_manifests(s3: Any, task: Task) -> None:
    """Its span; its files lie beside its folder."""
    written = Written(TABLE, [[{}], [{}, {}]], time=7_000.0, since=5_000.0).write(s3)
    export = opened(task, written.url, incremental=True)
    assert (export.since, export.time, export.items) == (5_000.0, 7_000.0, 3)


@pytest.mark.parametrize("since", [None, 5.0])
def test_an_export_that_was_moved_is_found(s3: Any, task: Task, since: float | None) -> None:
    """Its files are where its manifests are now; their ETags are others, and so they are read."""
    written = Written(TABLE, [[{}], [{}]], since=since).write(s3)
    s3.create_bucket(Bucket=f"{written.bucket}-2")
    for found in s3.list_objects_v2(Bucket=written.bucket)["Contents"]:
        key = found["Key"].replace("from-aws", "moved/here")
        parts = s3.create_multipart_upload(Bucket=f"{written.bucket}-2", Key=key)
        body = s3.get_object(Bucket=written.bucket, Key=found["Key"])["Body"].read()
        place = {"Bucket": f"{written.bucket}-2", "Key": key, "UploadId": parts["UploadId"]}
        part = s3.upload_part(**place, PartNumber=1, Body=body)
        s3.complete_multipart_upload(
            **place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        )
    url = f"s3://{written.bucket}-2/moved/here/AWSDynamoDB/{written.id}"
    export = opened(task, url, incremental=since is not None)
    assert all(file.key.startswith("moved/here/") for file in export.files)
    assert all(file.etag.endswith("-1") for file in export.files)


def overwrite(key: str, body: bytes) -> Callable[[Any, Written], None]:
    def change(s3: Any, written: Written) -> None:
        s3.put_object(Bucket=written.bucket, Key=key.format(written), Body=body)

    return change


def remove(key: str) -> Callable[[Any, Written], None]:
    def change(s3: Any, written: Written) -> None:
        s3.delete_object(Bucket=written.bucket, Key=key.format(written))

    return change


def shorten(s3: Any, written: Written) -> None:
    """A manifest that lost its last line, with the MD5 of what is left."""
    key = f"{written.folder}/manifest-files.json"
    text = s3.get_object(Bucket=written.bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=written.bucket, Key=key, Body=b"\n".join(text.splitlines()[1:]))
    s3.delete_object(Bucket=written.bucket, Key=f"{written.folder}/manifest-files.md5")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (remove("{0.folder}/manifest-summary.json"), "There is no .*manifest-summary.json"),
        (remove("{0.folder}/manifest-files.json"), "There is no .*manifest-files.json"),
        (overwrite("{0.folder}/manifest-summary.json", b"{}"), "manifest-summary.json is damaged"),
        (overwrite("{0.folder}/manifest-files.json", b"{}"), "manifest-files.json is damaged"),
        (shorten, "manifest-files.json lists 16 items in 3 files, and the summary says 25"),
    ],
)
def test_a_manifest_that_is_missing_or_damaged_is_told(
    s3: Any, task: Task, change: Callable[[Any, Written], None], told: str
) -> None:
    """By its name."""
    written = Written(TABLE, whole(ITEMS, 4)).write(s3)
    change(s3, written)
    with pytest.raises(SourceError, match=told):
        opened(task, written.url)


def test_a_data_file_that_is_missing_is_told(s3: Any, task: Task) -> None:
    """By its name."""
    written = Written(TABLE, whole(ITEMS, 4)).write(s3)
    s3.delete_object(Bucket=written.bucket, Key=written.data_key(2))
    with pytest.raises(SourceError, match=f"s3://{written.bucket}/{written.data_key(2)} is miss"):
        opened(task, written.url)


def test_a_data_file_that_is_damaged_is_told(s3: Any, task: Task) -> None:
    """By its name; it would be read well."""
    written = Written(TABLE, whole(ITEMS, 4)).write(s3)
    body = gzip.compress(b"".join(b'{"Item":{"pk":{"S":"x"}}}\n' for _ in range(8)))
    s3.put_object(Bucket=written.bucket, Key=written.data_key(1), Body=body)
    with pytest.raises(SourceError, match=f"{written.data_key(1)} is damaged: its MD5"):
        opened(task, written.url)


@pytest.mark.parametrize(
    ("made", "wanted", "told"),
    [
        ({"form": "ION"}, {}, "is in the format ION"),
        ({"since": 5.0}, {}, "is INCREMENTAL_EXPORT: it holds what changed in a span of time"),
        ({}, {"incremental": True}, "is FULL_EXPORT: it holds a whole table"),
        (
            {"table": replace(TABLE, arn=f"{TABLE.arn}-2")},
            {},
            "is of table .*orders-2 id-1, and is to be of .*orders ",
        ),
        ({"table": replace(TABLE, table_id="id-0")}, {}, "is of table .*orders id-0, and is"),
    ],
)
def test_an_export_of_another_kind_or_table_is_refused(
    s3: Any, task: Task, made: dict[str, Any], wanted: dict[str, bool], told: str
) -> None:
    """With what it is, and what it should be."""
    written = replace(Written(TABLE, whole(ITEMS, 2)), **made).write(s3)
    with pytest.raises(SourceError, match=told):
        opened(task, written.url, **wanted)


@pytest.mark.parametrize("url", ["here", "s3://bucket", "s3://bucket/", "https://bucket/a/b"])
def test_a_place_that_is_none_is_refused(task: Task, url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ConfigError, match="names no export in S3"):
        open_export(task.source, url, TABLE)


def test_a_bucket_that_is_not_there_is_told(s3: Any, task: Task) -> None:
    """With what was asked of it."""
    del s3
    with pytest.raises(OperatorError, match="s3:GetObject on s3://no-such-bucket/a/manifest"):
        open_export(task.source, "s3://no-such-bucket/a", TABLE)


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ({"exportArn": None}, "KeyError 'exportArn'"),
        ({"exportTime": "yesterday"}, "ValueError"),
        ({"itemCount": "many"}, "ValueError"),
        ({"manifestFilesS3Key": 7}, "TypeError"),
        ([], "AttributeError"),
        ("no", "AttributeError"),
    ],
)
def test_a_manifest_of_another_form_is_told(s3: Any, task: Task, summary: Any, told: str) -> None:
    """As none; with what was the matter with it."""
    written = Written(TABLE, whole(ITEMS, 2)).write(s3)
    if isinstance(summary, dict):
        changed = {**written.summary(), **summary}
        summary = {name: value for name, value in changed.items() if value is not None}
    s3.delete_object(Bucket=written.bucket, Key=f"{written.folder}/manifest-summary.md5")
    s3.put_object(
        Bucket=written.bucket,
        Key=f"{written.folder}/manifest-summary.json",
        Body=json.dumps(summary),
    )
    with pytest.raises(SourceError, match=f"is no manifest: {told}"):
        open_export(task.source, written.url, TABLE)


@pytest.mark.parametrize("line", ['{"itemCount": "x"}', "[]", "7", '{"dataFileS3Key": 1}', "{"])
def test_a_list_of_files_of_another_form_is_told(s3: Any, task: Task, line: str) -> None:
    """As none."""
    written = Written(TABLE, whole(ITEMS, 2)).write(s3)
    s3.delete_object(Bucket=written.bucket, Key=f"{written.folder}/manifest-files.md5")
    s3.put_object(Bucket=written.bucket, Key=f"{written.folder}/manifest-files.json", Body=line)
    with pytest.raises(SourceError, match="is no manifest"):
        open_export(task.source, written.url, TABLE)

"""DynamoDB with its exports and imports, for whatever moto knows less of.

moto's own export has no manifest, no time and no ``ExportManifest``, and knows no span; its import
is done at once. Here an export is written in the documented form, both take some looks until they
have ended, and a table that is imported into is CREATING until then. All else is moto's.
"""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3

from kcl_processor.config.task import Task
from kcl_processor.launch.incarnation import Incarnation
from tests.edges import Edge, Reply, Request, passed_on, serving
from tests.kcl_tables import make_task
from tests.table.exported import Written, buckets, whole

Body = dict[str, Any]


class ManagedAws:
    """What stands before moto.

    Attributes:
        looks: how often a job is looked at before it has ended.
        lead: seconds that its clock is ahead: a stream that was turned on just now is settled.
        history: what an incremental export is of, by the table's name: when, which key, and its
            item from then on.
        recovery: the oldest and the newest moment that can be recovered; moto's own for ``None``.
        fail: what a job is to fail with, by the operation that asks for it.
        fails_until: exports of younger moments do not fail.
        newer_stream: the label of one that was turned on after the source's; moto knows only one.
        calls: the operations, in their order.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.looks = 2
        self.lead = 10.0
        self.history: dict[str, list[tuple[float, Body, Body | None]]] = {}
        self.recovery: tuple[float, float] | None = None
        self.fail: dict[str, str] = {}
        self.fails_until = float("inf")
        self.newer_stream = ""
        # Items that an import leaves out.
        self.lost_items = 0
        # How many answers of an operation are to be lost, once it was done.
        self.lost_answers: dict[str, int] = {}
        self.calls: list[str] = []
        self.requests: list[Body] = []
        self.filtered: set[str] = set()
        self._dynamodb = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url)
        self._s3 = buckets(url)
        self.jobs: dict[str, Body] = {}
        self._by_token: dict[tuple[str, str], str] = {}
        self._left: dict[str, int] = {}
        # Looks that do not find a job which was asked for.
        self.unseen = 0

    def task(self, url: str, **options: Any) -> Task:
        """A task of this AWS, which is served at the URL."""
        task = make_task(url, **options)
        return replace(task, source=replace(task.source, streams_endpoint=url))

    @contextmanager
    def serving(self) -> Iterator[Edge]:
        with serving(self._answer) as edge:
            yield edge

    def _answer(self, request: Request) -> Reply:
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        own: dict[str, Callable[[Body], Reply]] = {
            "ExportTableToPointInTime": self._export,
            "DescribeExport": self._describe_export,
            "ImportTable": self._import,
            "DescribeImport": self._describe_import,
            "ListImports": self._list_imports,
        }
        self.calls.append(operation)
        if operation in own:
            self.requests.append(json.loads(request.body))
            reply = own[operation](json.loads(request.body))
            if self.lost_answers.get(operation, 0) > 0:
                self.lost_answers[operation] -= 1
                return Reply.of({}, 500)
            return reply
        reply = passed_on(self.url, request)
        if operation == "DescribeContinuousBackups" and self.recovery:
            return self._recoverable(reply)
        if operation == "DescribeStream" and self.newer_stream:
            arn = json.loads(request.body)["StreamArn"]
            return Reply.of({"StreamDescription": {"StreamArn": arn, "StreamStatus": "ENABLED"}})
        if operation == "DescribeTable" and reply.status == 200:
            return self._unready(reply)
        return reply

    def _recoverable(self, reply: Reply) -> Reply:
        described = json.loads(reply.body)
        oldest, newest = self.recovery or (0.0, 0.0)
        described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"] |= {
            "EarliestRestorableDateTime": oldest,
            "LatestRestorableDateTime": newest,
        }
        return Reply.of(described)

    def _unready(self, reply: Reply) -> Reply:
        described = json.loads(reply.body)
        arn = described["Table"]["TableArn"]
        if self.newer_stream and "LatestStreamArn" in described["Table"]:
            described["Table"]["LatestStreamArn"] = f"{arn}/stream/{self.newer_stream}"
        for job in self.jobs.values():
            if "ImportStatus" not in job or job["TableArn"] != arn:
                continue
            described["Table"]["TableId"] = _table_id(described["Table"]["CreationDateTime"])
            if job["ImportStatus"] == "IN_PROGRESS":
                described["Table"]["TableStatus"] = "CREATING"
        return Reply.of(described)

    def _export(self, body: Body) -> Reply:
        known = self._by_token.get(("export", body["ClientToken"]))
        if known:
            return Reply.of({"ExportDescription": self.jobs[known]})
        name = body["TableArn"].rpartition("/")[2]
        found = self._dynamodb.describe_continuous_backups(TableName=name)
        recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
            return _error("PointInTimeRecoveryUnavailableException")
        table = self._dynamodb.describe_table(TableName=name)["Table"]
        span = body.get("IncrementalExportSpecification")
        written = Written(
            Incarnation.of(table),
            [self._changes(name, span), []] if span else whole(self._items(name), 4),
            time=span["ExportToTime"] if span else time.time() + self.lead,
            since=span["ExportFromTime"] if span else None,
            prefix=body.get("S3Prefix", "none"),
            bucket=body["S3Bucket"],
        )
        written.write(self._s3)
        job = {
            "ExportArn": written.summary()["exportArn"],
            "ExportStatus": "IN_PROGRESS",
            "TableArn": body["TableArn"],
            "S3Bucket": written.bucket,
            "S3Prefix": written.prefix,
            "ExportTime": written.time,
            "ExportManifest": f"{written.folder}/manifest-summary.json",
        }
        self._begin("export", body["ClientToken"], job["ExportArn"], job)
        return Reply.of({"ExportDescription": job})

    def _changes(self, table: str, span: Body) -> list[Body]:
        """What has changed from the begin of a span until before its end: of each key the item as
        it was and as it is, and of one that was made and deleted in between nothing."""
        since, until = span["ExportFromTime"], span["ExportToTime"]
        before: dict[str, Body | None] = {}
        after: dict[str, Body | None] = {}
        for moment, key, item in sorted(self.history.get(table, ()), key=lambda event: event[0]):
            name = json.dumps(key)
            if moment < since:
                before[name] = item
            elif moment < until:
                after[name] = item
        return [
            {
                "Metadata": {"WriteTimestampMicros": {"N": str(int(until * 1_000_000))}},
                "Keys": json.loads(name),
                **({"NewImage": item} if item else {}),
                **({"OldImage": old} if old and span["ExportViewType"] != "NEW_IMAGE" else {}),
            }
            for name, item in after.items()
            if (old := before.get(name)) or item
        ]

    def _items(self, name: str) -> Sequence[Body]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=name)
        return [item for page in pages for item in page["Items"]]

    def _describe_export(self, body: Body) -> Reply:
        job = self._looked_at(body["ExportArn"], "ExportStatus", "ExportTableToPointInTime")
        if job is None:
            return _error("ExportNotFoundException")
        if body["ExportArn"] in self.filtered:
            job = {**job, "FilterSpecification": {"FilterExpression": "n > :n"}}
        return Reply.of({"ExportDescription": job})

    def _import(self, body: Body) -> Reply:
        known = self._by_token.get(("import", body["ClientToken"]))
        if known:
            return Reply.of({"ImportTableDescription": self.jobs[known]})
        made = body["TableCreationParameters"]
        try:
            self._dynamodb.create_table(**made)
        except self._dynamodb.exceptions.ResourceInUseException:
            return _error("ResourceInUseException")
        created = self._dynamodb.describe_table(TableName=made["TableName"])["Table"]
        created["TableId"] = _table_id(created["CreationDateTime"].timestamp())
        place = body["S3BucketSource"]
        taken = 0
        for item in list(self._lines(place["S3Bucket"], place["S3KeyPrefix"]))[self.lost_items :]:
            self._dynamodb.put_item(TableName=made["TableName"], Item=item["Item"])
            taken += 1
        job = {
            "ImportArn": f"{created['TableArn']}/import/01-{uuid.uuid4().hex[:8]}",
            "ImportStatus": "IN_PROGRESS",
            "TableArn": created["TableArn"],
            "TableId": created["TableId"],
            "ClientToken": body["ClientToken"],
            "ImportedItemCount": taken,
            "ErrorCount": 0,
        }
        self._begin("import", body["ClientToken"], job["ImportArn"], job)
        return Reply.of({"ImportTableDescription": job})

    def _lines(self, bucket: str, prefix: str) -> Iterator[Body]:
        for found in self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            body = self._s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            yield from map(json.loads, gzip.decompress(body).splitlines())

    def _describe_import(self, body: Body) -> Reply:
        job = self._looked_at(body["ImportArn"], "ImportStatus", "ImportTable")
        return Reply.of({"ImportTableDescription": job})

    def _list_imports(self, body: Body) -> Reply:
        names = ("ImportArn", "ImportStatus", "TableArn")
        found = [
            {name: job[name] for name in names}
            for job in self.jobs.values()
            if "ImportArn" in job and job["TableArn"] == body["TableArn"]
        ]
        at = int(body.get("NextToken", "0"))
        # Shorter ones are none.
        more = {"NextToken": f"{at + 1:0112}"} if at + 1 < len(found) else {}
        return Reply.of({"ImportSummaryList": found[at : at + 1], **more})

    def forget_tokens(self) -> None:
        """As after eight hours."""
        self._by_token.clear()

    def _begin(self, kind: str, token: str, arn: str, job: Body) -> None:
        self.jobs[arn] = job
        self._by_token[kind, token] = arn
        self._left[arn] = self.looks

    def _looked_at(self, arn: str, status: str, operation: str) -> Body | None:
        job = self.jobs.get(arn)
        if job is None:
            return None
        if self.unseen > 0:
            self.unseen -= 1
            return None
        left = self._left[arn] = self._left.get(arn, 0) - 1
        if left < 0 and job[status] == "IN_PROGRESS":
            is_good = job.get("ExportTime", 0.0) > self.fails_until
            failure = None if is_good else self.fail.get(operation)
            job[status] = "FAILED" if failure else "COMPLETED"
            if failure:
                job |= {"FailureCode": failure, "FailureMessage": "as told"}
        return job


def _table_id(created: float) -> str:
    """moto gives no table one."""
    return f"made-{created:.3f}"


def _error(code: str) -> Reply:
    name = f"com.amazonaws.dynamodb.v20120810#{code}"
    return Reply.of({"__type": name, "message": "as told"}, 400)

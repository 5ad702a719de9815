"""KCL's tables, made before the daemon starts."""

from __future__ import annotations

import uuid

import boto3

from kcl_processor.fleet.kcl_tables import LEASE_INDEX, make_kcl_tables
from tests.kcl_tables import make_task


def test_kcls_tables_are_made_once_with_their_index(moto_url: str) -> None:
    """Three tables on demand, the lease table with its index; a second start changes nothing."""
    task = make_task(moto_url)
    dynamodb = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    make_kcl_tables(task)
    make_kcl_tables(task)
    leases = dynamodb.describe_table(TableName=task.kcl.application_name)["Table"]
    assert [index["IndexName"] for index in leases["GlobalSecondaryIndexes"]] == [LEASE_INDEX]
    for suffix in ("-CoordinatorState", "-WorkerMetricStats"):
        made = dynamodb.describe_table(TableName=task.kcl.application_name + suffix)["Table"]
        assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_a_table_that_a_property_shapes_is_left_to_kcl(moto_url: str) -> None:
    """Only KCL knows what each of its properties does; the others are made, under their names."""
    name = f"workers-{uuid.uuid4().hex[:8]}"
    properties = {"coordinatorStateBillingMode": "PROVISIONED", "workerMetricsTableName": name}
    task = make_task(moto_url, properties=properties)
    make_kcl_tables(task)
    dynamodb = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    pages = dynamodb.get_paginator("list_tables").paginate()
    application = task.kcl.application_name
    made = {table for page in pages for table in page["TableNames"]}
    assert {table for table in made if table.startswith((application, name))} == {application, name}

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


def test_a_lease_table_that_a_property_shapes_is_left_to_kcl(moto_url: str) -> None:
    """Only KCL knows what each of those does; the others are made, under their names."""
    name = f"workers-{uuid.uuid4().hex[:8]}"
    properties = {"leaseTablePitrEnabled": "true", "workerMetricsTableName": name}
    task = make_task(moto_url, properties=properties)
    make_kcl_tables(task)
    dynamodb = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    pages = dynamodb.get_paginator("list_tables").paginate()
    application = task.kcl.application_name
    made = {table for page in pages for table in page["TableNames"]}
    state = f"{application}-CoordinatorState"
    assert {table for table in made if table.startswith((application, name))} == {state, name}


def test_a_table_that_a_property_shapes_is_made_in_that_shape(moto_url: str) -> None:
    """A start writes into the coordinator's before KCL runs, so KCL cannot be who makes it."""
    shape = {
        "coordinatorStateBillingMode": "PROVISIONED",
        "coordinatorStateReadCapacity": "7",
        "coordinatorStateDeletionProtectionEnabled": "true",
        "coordinatorStateTags": "team=orders, stage=",
        "workerMetricsDeletionProtectionEnabled": "false",
    }
    task = make_task(moto_url, properties=shape)
    make_kcl_tables(task)
    dynamodb = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    named = f"{task.kcl.application_name}-CoordinatorState"
    state = dynamodb.describe_table(TableName=named)["Table"]
    workers = dynamodb.describe_table(TableName=f"{task.kcl.application_name}-WorkerMetricStats")
    capacity = state["ProvisionedThroughput"]
    assert (capacity["ReadCapacityUnits"], capacity["WriteCapacityUnits"]) == (7, 10)
    assert state["DeletionProtectionEnabled"]
    assert not workers["Table"]["DeletionProtectionEnabled"]
    tags = dynamodb.list_tags_of_resource(ResourceArn=state["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "orders"}, {"Key": "stage", "Value": ""}]

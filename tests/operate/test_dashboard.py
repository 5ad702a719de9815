"""Dashboard and alarms: CloudWatch takes them, and they watch metrics that are published."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from kcl_processor.operate.dashboard import alarms, dashboard
from kcl_processor.replicate.metrics import LATENCY_METRIC, METRICS
from tests.kcl_tables import make_task

KCL = {"NumWorkers", "ExpiredLeases"}


@pytest.fixture
def cloudwatch(moto_url: str) -> Any:
    return boto3.client("cloudwatch", region_name="us-east-1", endpoint_url=moto_url)


def test_the_dashboard_is_taken_and_given_back(cloudwatch: Any) -> None:
    """put-dashboard accepts the body."""
    body = dashboard(make_task())
    cloudwatch.put_dashboard(DashboardName="orders", DashboardBody=json.dumps(body))
    kept = cloudwatch.get_dashboard(DashboardName="orders")["DashboardBody"]
    assert json.loads(kept) == body


def test_every_alarm_is_taken(cloudwatch: Any) -> None:
    """put-metric-alarm accepts each, under a name of its own."""
    task = make_task()
    made = alarms(task, ["arn:aws:sns:us-east-1:111122223333:people"])
    for alarm in made:
        cloudwatch.put_metric_alarm(**alarm)
    prefix = task.kcl.application_name
    kept = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in kept} == {alarm["AlarmName"] for alarm in made}
    assert all(alarm["AlarmActions"] for alarm in kept)


def test_only_metrics_that_exist_are_watched() -> None:
    """Ours are without dimensions, KCL's have their operation; all in one namespace."""
    task = make_task()
    ours = {*METRICS, LATENCY_METRIC}
    for alarm in alarms(task, []):
        assert alarm["Namespace"] == task.kcl.application_name
        assert alarm["MetricName"] in (KCL if alarm["Dimensions"] else ours)
    for widget in dashboard(task)["widgets"]:
        for namespace, name, *dimensions in widget["properties"]["metrics"]:
            assert namespace == task.kcl.application_name
            assert name in (KCL if dimensions else ours)


def test_silence_alarms_and_lag_does_not_alarm_on_silence() -> None:
    """No data has alarms of its own, so the others leave it to them."""
    silent = {
        alarm["AlarmName"].rpartition("-")[2]
        for alarm in alarms(make_task(), [])
        if alarm["TreatMissingData"] == "breaching"
    }
    assert silent == {"data", "leader"}


def test_widgets_do_not_overlap() -> None:
    """Two in a row."""
    places = [(w["x"], w["y"]) for w in dashboard(make_task())["widgets"]]
    assert len(set(places)) == len(places)

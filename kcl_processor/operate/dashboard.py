"""CloudWatch's view of a task: a dashboard and alarms, as the API takes them.

A task's own metrics and KCL's lie in one namespace, the application's name. KCL's have the
dimension ``Operation`` and are there at its level SUMMARY, which is this product's default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcl_processor.config.task import Task
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.operate.status import CRITICAL_SHARE, WARN_SHARE
from kcl_processor.replicate.metrics import (
    BATCHES_WRITTEN,
    DEAD_LETTERS,
    GAPS,
    LATENCY_METRIC,
    RECORDS_FAILED,
    RECORDS_RETRIED,
    RECORDS_WRITTEN,
)

# KCL 3.1.3: class LeaseAssignmentManager, published by the leader.
_ASSIGNMENT = {"Operation": "LeaseAssignmentManager"}
_WIDTH, _HEIGHT = 12, 6
# Alarms on latency: name, seconds, and for how many minutes.
_LATE = (
    ("lag", 300.0, 5),
    ("trim-warning", WARN_SHARE * RETENTION, 1),
    ("trim-critical", CRITICAL_SHARE * RETENTION, 1),
)


def dashboard(task: Task) -> dict[str, Any]:
    """The body of a dashboard: the argument ``DashboardBody`` of ``put-dashboard``."""
    rows = [
        ("Latency (ms), source's write to destination's", "Maximum", [LATENCY_METRIC]),
        ("Records", "Sum", [RECORDS_WRITTEN, RECORDS_RETRIED, RECORDS_FAILED]),
        ("For a person to look at", "Sum", [DEAD_LETTERS, GAPS]),
        ("Batches", "Sum", [BATCHES_WRITTEN]),
    ]
    widgets = [
        _widget(task, number, title, statistic, [_metric(task, name) for name in names])
        for number, (title, statistic, names) in enumerate(rows)
    ]
    kcl = [_metric(task, name, _ASSIGNMENT) for name in ("NumWorkers", "ExpiredLeases")]
    widgets.append(_widget(task, len(rows), "KCL's fleet", "Maximum", kcl))
    return {"widgets": widgets}


def alarms(task: Task, actions: Sequence[str]) -> list[dict[str, Any]]:
    """The arguments of one ``put-metric-alarm`` call each.

    Args:
        actions: ARNs to tell, of an SNS topic for instance.
    """
    made = [
        *(_too_late(task, name, seconds, minutes) for name, seconds, minutes in _LATE),
        _alarm(task, "dead-letters", DEAD_LETTERS, "Sum", 0, 1, "a change was set aside"),
        _alarm(task, "gaps", GAPS, "Sum", 0, 1, "changes left the stream unread"),
        _expired(task),
        _silence(task, "no-data", RECORDS_WRITTEN, {}, "no record processor reports"),
        _silence(task, "no-leader", "NumWorkers", _ASSIGNMENT, "no leader assigns shards"),
    ]
    return [{**alarm, "AlarmActions": list(actions)} for alarm in made]


def _too_late(task: Task, name: str, seconds: float, minutes: int) -> dict[str, Any]:
    left = (RETENTION - seconds) / HOUR
    text = f"changes arrive {seconds / 60:.0f} minutes late, {left:.0f} h before they are trimmed"
    return _alarm(task, name, LATENCY_METRIC, "Maximum", seconds * 1000, minutes, text)


def _expired(task: Task) -> dict[str, Any]:
    """The leader counts what it finds expired before it assigns it: some now and then is normal."""
    text = "shards go unread: nobody owns them"
    return _alarm(task, "expired-leases", "ExpiredLeases", "Minimum", 0, 5, text, _ASSIGNMENT)


def _widget(
    task: Task, number: int, title: str, statistic: str, metrics: list[list[str]]
) -> dict[str, Any]:
    return {
        "type": "metric",
        "x": _WIDTH * (number % 2),
        "y": _HEIGHT * (number // 2),
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": f"{task.name}: {title}",
            "region": task.metrics_region,
            "stat": statistic,
            "period": 60,
            "view": "timeSeries",
            "metrics": metrics,
        },
    }


def _metric(task: Task, name: str, dimensions: dict[str, str] | None = None) -> list[str]:
    pairs = [part for pair in (dimensions or {}).items() for part in pair]
    return [task.kcl.application_name, name, *pairs]


def _alarm(
    task: Task,
    name: str,
    metric: str,
    statistic: str,
    above: float,
    minutes: int,
    text: str,
    dimensions: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An alarm on a value; no data is no reason, for that has an alarm of its own."""
    return {
        "AlarmName": f"{task.kcl.application_name}-{name}",
        "AlarmDescription": f"kcl-processor task {task.name}: {text}.",
        "Namespace": task.kcl.application_name,
        "MetricName": metric,
        "Dimensions": [{"Name": k, "Value": v} for k, v in (dimensions or {}).items()],
        "Statistic": statistic,
        "Period": 60,
        "EvaluationPeriods": minutes,
        "Threshold": float(above),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }


def _silence(
    task: Task, name: str, metric: str, dimensions: dict[str, str], text: str
) -> dict[str, Any]:
    """An alarm on five minutes without any data of a metric that always has some."""
    alarm = _alarm(task, name, metric, "SampleCount", 0, 5, text, dimensions)
    return {
        **alarm,
        "ComparisonOperator": "LessThanOrEqualToThreshold",
        "TreatMissingData": "breaching",
    }

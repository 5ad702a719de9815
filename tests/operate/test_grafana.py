"""Grafana's dashboard and Prometheus' rules are over what the exporter serves."""

from __future__ import annotations

import json
import re

import yaml

from kcl_processor.operate.grafana import alert_rules, grafana
from kcl_processor.operate.series import BEHIND, EVERY, PAUSED, THROTTLED
from tests.kcl_tables import make_task

TASK = make_task()


def named(document: object) -> set[str]:
    """The series that the expressions of a document name."""
    return set(re.findall(r"kcl_processor_\w+", json.dumps(document)))


def test_every_series_is_drawn_and_none_that_is_not_served() -> None:
    """A name that is wrong would be an empty graph, and nobody told."""
    assert named(grafana(TASK)["panels"]) == {str(series) for series in EVERY}


def test_rules_are_over_series_that_are_served() -> None:
    """And each is of this task alone."""
    rules = alert_rules(TASK)["groups"][0]["rules"]
    assert named(rules) <= {str(series) for series in EVERY}
    for rule in rules:
        matched = re.findall(r"kcl_processor_\w+(\{[^}]*\})?", rule["expr"])
        assert all(of.startswith(f'{{task="{TASK.name}"') for of in matched)
        assert rule["annotations"]["summary"].startswith("Task {{ $labels.task }}: ")
    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert yaml.safe_load(yaml.safe_dump(alert_rules(TASK))) == alert_rules(TASK)


def test_panels_lie_beside_each_other() -> None:
    """Two in a row, none over another; ids and letters are each one's own."""
    panels = grafana(TASK)["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels) == len({panel["id"] for panel in panels})
    for panel in panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == sorted(set(letters))
    assert len(grafana(TASK)["uid"]) <= 40


def test_what_is_held_back_by_order_is_not_late_or_stuck() -> None:
    """But the stream's clock runs, and a pause that lasts for hours is told."""
    rules = {rule["alert"]: rule["expr"] for rule in alert_rules(TASK)["groups"][0]["rules"]}
    whole = f'unless on (task) {PAUSED}{{task="{TASK.name}",shard=""}}'
    for name in ("KclProcessorLate", "KclProcessorStuck"):
        assert whole in rules[name]
        assert f"unless on (task, shard) {PAUSED}" in rules[name]
        assert f"unless on (task, worker) {THROTTLED}" in rules[name]
    for name in ("KclProcessorTrimsSoon", "KclProcessorTrimsNow"):
        assert named(rules[name]) == {str(BEHIND), str(PAUSED), str(THROTTLED)}

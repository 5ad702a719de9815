"""`dashboard` prints what CloudWatch takes."""

from __future__ import annotations

import json
import shlex

import pytest
import yaml

from tests.cli.ask import Ask


def test_a_dashboard_or_its_alarms_are_printed_as_json(ask: Ask) -> None:
    """Each is what the aws command line takes."""
    assert json.loads(ask("dashboard").out)["widgets"]
    assert json.loads(ask("dashboard", "--alarms").out)[0]["AlarmName"]


def test_grafana_and_prometheus_get_theirs(ask: Ask) -> None:
    """One as JSON, the other as YAML; who an alert tells is Alertmanager's to say."""
    assert json.loads(ask("dashboard", "--grafana").out)["panels"]
    rules = yaml.safe_load(ask("dashboard", "--prometheus-rules").out)
    assert rules["groups"][0]["rules"][0]["alert"] == "KclProcessorUnseen"
    assert ask("dashboard", "--grafana", "--alarms").code == 2


@pytest.mark.parametrize("words", [(), ("--grafana",), ("--prometheus-rules",)])
def test_whom_an_alarm_tells_is_said_with_the_alarms(ask: Ask, words: tuple[str, ...]) -> None:
    """What is advised can be typed as it is: it asks for one kind of output."""
    code, _, said = ask("dashboard", *words, "--alarm-action", "arn:x")
    assert code == 2 and "--alarm-action is of --alarms" in said
    advised = shlex.split(said.partition("Try: kcl-processor ")[2])
    again = ask(*advised)
    assert again.code == 0 and json.loads(again.out)[0]["AlarmActions"] == ["arn:x"]

"""`dashboard` prints what CloudWatch takes."""

from __future__ import annotations

import json

from tests.cli.ask import Ask


def test_a_dashboard_or_its_alarms_are_printed_as_json(ask: Ask) -> None:
    """Each is what the aws command line takes."""
    assert json.loads(ask("dashboard").out)["widgets"]
    assert json.loads(ask("dashboard", "--alarms").out)[0]["AlarmName"]

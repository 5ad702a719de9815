"""`iam` prints what a role needs."""

from __future__ import annotations

import json

import pytest

from tests.cli.ask import Ask


@pytest.mark.parametrize("role", ["source", "kcl", "destination"])
def test_policies_are_json_or_terraform(ask: Ask, role: str) -> None:
    """Both name the task's own tables."""
    code, said, _ = ask("iam", "--role", role)
    assert code == 0 and json.loads(said)["Version"] == "2012-10-17"
    code, said, _ = ask("iam", "--role", role, "--terraform")
    assert code == 0 and said.startswith('resource "aws_iam_policy"')


def test_policies_over_a_border(ask: Ask) -> None:
    """A resource policy for each resource, a trust policy for a role; KCL's tables stay home."""
    who = "arn:aws:iam::444455556666:role/daemon"
    code, said, _ = ask("iam", "--role", "source", "--kind", "resource", "--principal", who)
    assert code == 0 and len(json.loads(said)) == 2
    code, said, _ = ask("iam", "--role", "destination", "--kind", "trust")
    assert code == 0 and "sts:AssumeRole" in said
    assert ask("iam", "--role", "kcl", "--kind", "trust").code == 2

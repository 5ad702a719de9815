"""`iam` prints what a role needs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.ask import Ask


@pytest.mark.parametrize("role", ["source", "kcl", "destination"])
def test_policies_are_json_or_terraform(ask: Ask, role: str) -> None:
    """Both name the task's own tables."""
    code, said, _ = ask("iam", "--role", role)
    assert code == 0 and json.loads(said)["Version"] == "2012-10-17"
    code, said, _ = ask("iam", "--role", role, "--terraform")
    assert code == 0 and said.startswith('resource "aws_iam_policy"')


def test_without_a_role_all_are_printed_by_name(ask: Ask) -> None:
    """Those whose statements are in no other; what is of one role asks for one."""
    code, said, _ = ask("iam")
    assert code == 0 and list(json.loads(said)) == ["source", "kcl", "destination"]
    assert json.loads(said)["source"] == json.loads(ask("iam", "--role", "source").out)
    code, said, _ = ask("iam", "--terraform", "--daemon-only")
    assert code == 0 and said.count('resource "aws_iam_policy"') == 3 and "Tools" not in said
    assert ask("iam", "--kind", "trust").code == 2


def test_policies_over_a_border(ask: Ask) -> None:
    """A resource policy for each resource, a trust policy for a role; KCL's tables stay home."""
    who = "arn:aws:iam::444455556666:role/daemon"
    code, said, _ = ask("iam", "--role", "source", "--kind", "resource", "--principal", who)
    assert code == 0 and len(json.loads(said)) == 2
    code, said, _ = ask("iam", "--role", "destination", "--kind", "trust")
    assert code == 0 and "sts:AssumeRole" in said
    assert ask("iam", "--role", "kcl", "--kind", "trust").code == 2
    assert ask("iam", "--role", "kcl", "--kind", "resource").code == 2


def test_freezing_is_asked_for(ask: Ask) -> None:
    """Of the source's role alone."""
    code, said, _ = ask("iam", "--role", "source", "--freeze")
    assert code == 0 and "dynamodb:PutResourcePolicy" in said
    assert ask("iam", "--role", "destination", "--freeze").code == 2


@pytest.mark.parametrize("kind", ["trust", "assume"])
def test_a_chain_has_a_document_for_each_link(ask: Ask, file: Path, kind: str) -> None:
    """A list, or a resource of Terraform each; one role has a document alone."""
    hub, writer = (f"arn:aws:iam::11112222333{n}:role/r{n}" for n in (1, 2))
    whole = file.read_text()
    file.write_text(
        f"{whole}    kcl: {{roles: [{{role_arn: '{hub}'}}, {{role_arn: '{writer}'}}]}}\n"
    )
    asked = ask("iam", "--role", "kcl", "--kind", kind)
    assert asked.code == 0, asked.err
    documents = json.loads(asked.out)
    on = {"trust": "RoleArn", "assume": "Assumer"}[kind]
    expected = {"trust": [hub, writer], "assume": ["the default chain", hub]}[kind]
    assert [one[on] for one in documents] == expected
    said = ask("iam", "--role", "kcl", "--kind", kind, "--terraform").out
    assert len(set(re.findall(r'^resource "\w+" "\w+"', said, re.MULTILINE))) == 2
    file.write_text(f"{whole}    kcl: {{role_arn: '{hub}'}}\n")
    assert json.loads(ask("iam", "--role", "kcl", "--kind", kind).out)["Version"] == "2012-10-17"

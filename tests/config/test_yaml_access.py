"""Credentials in the YAML: each section its own, and what would say nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kcl_processor.config.access import DEFAULT, Access, Role
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError

HUB = "arn:aws:iam::111111111111:role/hub"
SPOKE = "arn:aws-cn:iam::222222222222:role/spoke"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/letters"
# Loads the task whose source has these keys beside its table, with this text under both tables.
Load = Callable[[str, str], Task]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(source: str, rest: str = "") -> Task:
        path = tmp_path / "tasks.yml"
        path.write_text(
            f"""\
tasks:
  x:
    source:
      region: us-east-1
      table: orders
{source}
    destination: {{region: us-west-2, table: orders}}
{rest}
"""
        )
        (task,) = load_tasks(path)
        return task

    return load_text


def test_a_role_is_named_as_it_always_was(load: Load) -> None:
    """And the others have the default chain."""
    task = load(f"      role_arn: {HUB}\n      external_id: x-1", "")
    assert task.source.access == Access(roles=(Role(HUB, "x-1"),))
    others = (task.destination.access, task.kcl.access, task.metrics.access, task.letters_access)
    assert set(others) == {DEFAULT}


def test_a_chain_of_roles_stands_on_a_profile(load: Load) -> None:
    """In their order, each with its own external id."""
    task = load(
        f"""\
      profile: store
      session_name: replica-1
      roles:
        - role_arn: {HUB}
        - {{role_arn: "{SPOKE}", external_id: two}}""",
        "",
    )
    assert task.source.access == Access("store", (Role(HUB), Role(SPOKE, "two")), "replica-1")


def test_every_section_has_its_own(load: Load) -> None:
    """KCL's tables, CloudWatch and the queue of dead letters, too."""
    task = load(
        "",
        f"""\
    kcl: {{profile: k}}
    metrics: {{profile: m, role_arn: "{HUB}"}}
    dead_letters: {{queue: "{QUEUE}", profile: d}}""",
    )
    assert (task.kcl.access, task.letters_access) == (Access("k"), Access("d"))
    assert task.metrics.access == Access("m", (Role(HUB),))
    assert task.dead_letters == QUEUE


@pytest.mark.parametrize(
    ("source", "rest", "says"),
    [
        ("external_id: x", "", r":6: tasks\.x\.source\.external_id: only a role"),
        ("session_name: abc", "", r":6: tasks\.x\.source\.session_name: only a role"),
        (
            f"role_arn: {HUB}\n      session_name: a b",
            "",
            r":7: tasks\.x\.source\.session_name: 'a b' is not 2 to 64",
        ),
        (
            f"role_arn: {HUB}\n      roles: [{{role_arn: '{HUB}'}}]",
            "",
            r":7: tasks\.x\.source\.roles: there is a role_arn",
        ),
        (f"roles: [{HUB}]", "", r":6: tasks\.x\.source\.roles\[0\]: .* not a mapping"),
        (f"roles: '{HUB}'", "", r":6:14: tasks\.x\.source\.roles: a list is wanted"),
        ("roles: [{external_id: x}]", "", r"source\.roles\[0\]\.role_arn: role_arn is missing"),
        (
            f"roles: [{{role_arn: '{HUB}', profile: x}}]",
            "",
            r"source\.roles\[0\]\.profile: .* not known",
        ),
        ("", "    dead_letters: {profile: d}", r"dead_letters\.queue: queue is missing"),
        (
            "",
            "    dead_letters: {queue: letters.jsonl, profile: d}",
            r"dead_letters\.queue: 'letters\.jsonl' is not the URL or the ARN",
        ),
        (
            "",
            "    kcl: {profile: k, properties: {AwsCredentialsProviderDynamoDB: X}}",
            r"names its credentials twice, by AwsCredentialsProviderDynamoDB and as the profile k",
        ),
    ],
)
def test_what_says_nothing_or_two_things_is_refused(
    load: Load, source: str, rest: str, says: str
) -> None:
    """With file, line and key."""
    with pytest.raises(ConfigError, match=says):
        load(f"      {source}" if source else "", rest)

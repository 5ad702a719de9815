"""Who a task's sections are, and what `doctor` says of their credentials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.access import Access, Role
from kcl_processor.config.task import Kcl, Metrics, Side, Source, Task
from kcl_processor.operate.check import Check
from kcl_processor.operate.identities import callers, told
from tests.fakes import HandClock
from tests.kcl_tables import make_task

WRITER = Role("arn:aws:iam::444455556666:role/writer")
AWS_KEY = "AKIAIOSFODNN7EXAMPLE"
ELSEWHERE = "http://store.example:8000"


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Iterator[None]:
    """AWS's keys in the environment, a store's in a profile; STS is a moto server."""
    shared = tmp_path / "credentials"
    shared.write_text("[store]\naws_access_key_id = STORE\naws_secret_access_key = secret\n")
    for name, value in {
        "AWS_ACCESS_KEY_ID": AWS_KEY,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SHARED_CREDENTIALS_FILE": str(shared),
        "AWS_ENDPOINT_URL_STS": moto_url,
    }.items():
        monkeypatch.setenv(name, value)
    clients.forget()
    yield
    clients.forget()


def aws_task(**options: object) -> Task:
    """A task with all its sections on AWS, and a queue of dead letters."""
    parts = {
        "source": Source("us-east-1", "t"),
        "destination": Side("eu-west-1", "t"),
        "kcl": Kcl("us-east-1", None, "App", "worker-1"),
        "metrics": Metrics(),
        "dead_letters": "arn:aws:sqs:eu-west-3:123456789012:letters",
        **options,
    }
    return replace(make_task(), **parts)  # type: ignore[arg-type]


def checks(task: Task) -> list[Check]:
    return list(told(task, HandClock()))


def test_sections_call_where_they_are() -> None:
    """STS is asked in each one's region: in another partition no other knows its roles."""
    found = {caller.section: caller for caller in callers(aws_task())}
    assert list(found) == ["source", "destination", "kcl", "metrics", "dead letters"]
    assert found["dead letters"].region == "eu-west-3"
    assert found["source"].urls == (
        "https://dynamodb.us-east-1.amazonaws.com",
        "https://streams.dynamodb.us-east-1.amazonaws.com",
    )
    quiet = aws_task(dead_letters=None, metrics=Metrics(publish=False))
    assert [caller.section for caller in callers(quiet)] == ["source", "destination", "kcl"]


def test_each_section_is_said_to_be_who_it_is() -> None:
    """One line for all that are the same, with the role's session where there is a role."""
    role = Side("eu-west-1", "t", access=Access(roles=(WRITER,), session_name="mine"))
    found = checks(aws_task(destination=role))
    assert {check.result for check in found} == {"ok"}
    others, writer = sorted((check.text for check in found), key=lambda text: "writer" in text)
    assert others.startswith("source, kcl, metrics, dead letters: arn:aws:")
    assert others.endswith("by the default chain")
    assert writer == (
        "destination: arn:aws:sts::444455556666:assumed-role/writer/mine, "
        "by arn:aws:iam::444455556666:role/writer"
    )


@pytest.mark.parametrize(
    ("url", "warnings"),
    [(ELSEWHERE, 2), ("https://store.example", 1), ("http://127.0.0.1:8000", 1)],
)
def test_aws_keys_that_go_elsewhere_are_warned_of(url: str, warnings: int) -> None:
    """To a host that is not AWS's; and in clear, unless that is this host."""
    found = [check for check in checks(aws_task(destination=Side("x", "t", url))) if check.why]
    assert len(found) == warnings and {check.result for check in found} == {"warn"}
    assert all("destination" in check.text and AWS_KEY not in str(check) for check in found)


def test_a_store_with_keys_of_its_own_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked who they are where there is no STS but AWS's."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    side = Side("x", "t", ELSEWHERE, access=Access("store"))
    kcl = Kcl("x", ELSEWHERE, "App", "worker-1", access=Access("store"))
    source = Source("x", "t", ELSEWHERE, access=Access("store"))
    task = aws_task(
        source=source,
        destination=side,
        kcl=kcl,
        dead_letters=None,
        metrics=Metrics(publish=False),
    )
    (check,) = checks(task)
    assert check.result == "ok" and check.text.startswith("source, destination, kcl: the keys of")
    assert "store.example:8000 cannot say whose they are" in check.text


def test_a_profile_that_is_not_there_fails_its_section_alone() -> None:
    """The others are told of."""
    found = checks(aws_task(destination=Side("eu-west-1", "t", access=Access("nope"))))
    (failed,) = [check for check in found if check.result == "fail"]
    assert failed.text.startswith("destination: The AWS profile 'nope' is in none")
    assert any("source, kcl" in check.text for check in found if check.result == "ok")

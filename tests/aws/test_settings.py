"""Each AWS setting is obeyed by whom the README says: here the tools and the record processors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from kcl_processor.aws import clients
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Side
from kcl_processor.errors import OperatorError
from tests.aws_settings import REGION, SETTINGS, Scene, staged
from tests.readme import obeyed_by


@pytest.fixture(autouse=True)
def _no_client_is_kept() -> Iterator[None]:
    clients.forget()
    yield
    clients.forget()


def ask_as_a_tool(scene: Scene) -> None:
    """``doctor`` and its like ask with boto3's clients."""
    with suppress(OperatorError, ClientError, BotoCoreError):
        clients.tables(Side(REGION, "t", scene.endpoint)).describe_table(TableName="t")


def ask_as_a_record_processor(scene: Scene) -> None:
    """Record processors, copy and verify ask on the wire, and again while that may help."""
    with suppress(OperatorError):
        wire = clients.endpoint(Side(REGION, "t", scene.endpoint), 1, SystemClock())
        next((answer for _ in range(3) if not (answer := wire.call("GetItem", b"{}")).error), None)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    ("asker", "ask"),
    [("tools", ask_as_a_tool), ("record processors", ask_as_a_record_processor)],
)
def test_the_readme_says_who_obeys_a_setting(
    name: str,
    asker: str,
    ask: Callable[[Scene], None],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What reached the servers is what the table says."""
    with staged(name, home) as scene:
        for variable, value in scene.environment.items():
            monkeypatch.setenv(variable, value)
        ask(scene)
        assert scene.obeyed() == obeyed_by(asker, name)

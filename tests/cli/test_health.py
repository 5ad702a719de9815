"""`health` looks twice before it complains."""

from __future__ import annotations

import json
import time

import pytest

from tests.cli.ask import Ask


def test_what_is_found_is_looked_at_twice(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that is not there is not there five seconds later, either: exit code 1."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    code, said, _ = ask("health", "--local", "--json")
    assert code == 1 and waited == [5.0]
    assert json.loads(said)["problems"] == ["the daemon is not running on this host"]

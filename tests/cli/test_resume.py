"""`resume` without a pause, or before the first start, changes nothing."""

from __future__ import annotations

import json

from tests.cli.ask import Ask


def test_nothing_is_paused_where_nothing_ran(ask: Ask) -> None:
    """It is no error to say so twice."""
    assert ask("resume").out == "Nothing of it was paused.\n"
    assert json.loads(ask("resume", "--json").out) == []
    assert ask("resume", "--shard", "x").code == 2

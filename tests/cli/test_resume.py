"""`resume` without a pause, or before the first start, changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.launch.identity import write_claim
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState, replace_switch
from tests.cli.ask import Ask
from tests.kcl_tables import fill, identity


def test_nothing_is_paused_where_nothing_ran(ask: Ask) -> None:
    """It is no error to say so twice."""
    assert ask("resume").out == "Nothing of it was paused.\n"
    assert json.loads(ask("resume", "--json").out) == []
    assert ask("resume", "--shard", "x").code == 2


def test_what_a_switchover_holds_back_does_not_go_on(ask: Ask, file: Path) -> None:
    """Nor is it healed: its writers write to the destination now."""
    task = load_tasks(file)[0]
    fill(task, [])
    assert write_claim(task, None, identity(task))
    over = replace(SwitchMark.begun("t", 0.0), state=SwitchState.OVER, certificate="{}")
    replace_switch(task, None, over)
    for command in ("resume", "heal"):
        code, _, said = ask(command)
        assert code == 2 and "was switched over" in said, command

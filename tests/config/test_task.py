"""A task: the names it gets, and what could not work."""

from __future__ import annotations

from kcl_processor.config.task import Side, default_task_name


def test_a_task_without_a_name_gets_the_originals() -> None:
    """The default name is the MD5 of regions and tables, as an existing checkpoint table has it."""
    name = default_task_name(Side("us-east-1", "orders"), Side("us-west-2", "copy"))
    assert name == "6e282808c88e8535e3722d6e1baedc8c"

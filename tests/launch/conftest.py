"""Fixtures for tests of what a start looks at."""

from __future__ import annotations

import pytest

from kcl_processor.config.task import Task
from tests.kcl_tables import fill, make_task


@pytest.fixture
def task(moto_url: str) -> Task:
    """A task with KCL's tables, which hold nothing."""
    task = make_task(moto_url)
    fill(task, [])
    return task

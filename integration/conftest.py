"""Fixtures that the stories share: one DynamoDB Local a session, tables of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integration import drill_table, local_tables
from integration.credentials import CREDENTIALS
from integration.story import Stories, Story, Tell

# Files that take minutes, or whose one test takes one.
LONG = tuple(
    "test_operator_views test_other_stores test_gap test_stop test_proof test_switchover "
    "test_metrics test_copy_in_parts".split()
)
# Tests of what the stories are told with: quick, and without a daemon.
TOOLS = ("test_bench", "test_simulator", "test_soak")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several are told at a time: the long ones begin first, the quickest fill what they leave."""

    def turn(item: pytest.Item) -> int:
        name = item.path.stem
        return LONG.index(name) if name in LONG else 99 + name.startswith(TOOLS)

    items.sort(key=turn)


@pytest.fixture(autouse=True, scope="session")
def credentials() -> Iterator[None]:
    """For what the tests ask themselves, as for all that they start."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """What a shell starts in the background ignores SIGINT, and so would every daemon below it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def local() -> Iterator[str]:
    """The URL of a DynamoDB Local whose regions have tables of their own."""
    # Drills read 50,000 items at a time.
    with local_tables.database(regions_apart=True, heap="1g") as url:
        yield url


@pytest.fixture
def story(local: str, tmp_path: Path) -> Iterator[Stories]:
    """Makes a story, whose processes end with the test."""
    with ExitStack() as stack:
        yield lambda task=None, /, **simulator: stack.enter_context(
            Story(tmp_path, local, task, **simulator)
        )


@pytest.fixture
def tell_row() -> drill_table.TellRow:
    """Tells a drill: to the terminal, and to the file of scripts/drills if there is one."""
    path = os.environ.get("KCL_PROCESSOR_DRILL_ROWS")

    def add(row: drill_table.Row) -> None:
        print(row)
        if path:
            drill_table.note(Path(path), row)

    return add


@pytest.fixture
def tell(tell_row: drill_table.TellRow) -> Tell:
    """Tells the drill of a story."""

    def add(
        fault: str, story: Story, verdict: dict[str, Any], repeats: int = 1, measured: str = ""
    ) -> None:
        changes = story.simulator.status()["changes"]
        tell_row(drill_table.row(fault, verdict, changes, repeats, measured))

    return add

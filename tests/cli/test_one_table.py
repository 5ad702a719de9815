"""A destination that is the source under another spelling is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask, write_tasks
from tests.kcl_tables import make_source_and_destination

ROLE = "arn:aws:iam::123456789012:role/same-account"


@pytest.fixture(params=["by name", "by role"])
def file(moto_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file whose destination is its source, by the host's name or by a role into its account."""
    path = tmp_path / "tasks.yml"
    task = write_tasks(path, moto_url)
    make_source_and_destination(task)
    place = f'{task.destination.table}, endpoint: "{moto_url}"'
    other = {
        "by name": f'{task.source.table}, endpoint: "{moto_url.replace("127.0.0.1", "localhost")}"',
        "by role": f'{task.source.table}, endpoint: "{moto_url}", role_arn: "{ROLE}"',
    }
    path.write_text(path.read_text().replace(place, other[request.param]))
    return path


@pytest.mark.parametrize(
    "command",
    ["prepare --yes", "doctor", "copy", "run", "start --yes", "verify --repair", "replay"],
)
def test_a_table_is_not_replicated_onto_itself(ask: Ask, file: Path, command: str) -> None:
    """Each command that would write refuses it, with the table's ARN; doctor fails."""
    (task,) = load_tasks(file)
    client = clients.tables(task.source)
    before = client.list_tables()["TableNames"]
    asked = ask(*command.split())
    assert asked.code == (ExitCode.CRASH if command == "doctor" else ExitCode.CONFIG)
    assert "is the source table itself: arn:aws:dynamodb:us-east-1:123456789012:table/" in (
        asked.out + asked.err
    )
    assert client.list_tables()["TableNames"] == before

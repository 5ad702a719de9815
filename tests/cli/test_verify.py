"""`verify` tells equal from different, and repairs when told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles, settled
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.launch.proof import adopt_proof, read_standing, replica_of
from kcl_processor.state.gaps import Gap, note_gap
from tests.cli.ask import Ask


def test_a_difference_is_found_reported_and_repaired(ask: Ask, file: Path, tmp_path: Path) -> None:
    """Exit code 1 while the tables differ; values are in the report only when asked for."""
    (task,) = load_tasks(file)
    item = {"pk": {"S": "a"}, "card": {"S": "4111"}}
    clients.tables(task.source).put_item(TableName=task.source.table, Item=item)
    report = tmp_path / "report.jsonl"
    verify = ("verify", "--patience", "0", "--segments", "2", "--json")
    found = ask(*verify, "--report", str(report))
    assert found.code == 1 and json.loads(found.out)["total"]["missing"] == 1
    (line,) = map(json.loads, report.read_text().splitlines())
    assert (line["kind"], line["key"]) == ("missing", {"pk": {"S": "a"}})
    assert "4111" not in report.read_text() + found.err
    assert report.stat().st_mode & 0o777 == 0o600
    assert ask(*verify, "--repair").code == ExitCode.OK
    assert ask(*verify).code == ExitCode.OK


def test_one_that_nobody_listens_to_any_more_is_not_called_equal(
    file: Path, tmp_path: Path
) -> None:
    """Whoever read its log is gone, as is a journal that broke: it ends like what SIGPIPE ends."""
    (task,) = load_tasks(file)
    clients.tables(task.source).put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    reads, writes = os.pipe()
    os.close(reads)
    words = ("-c", str(file), "--state-dir", str(tmp_path), "--patience", "0", "--segment", "0/1")
    command = [sys.executable, "-m", "kcl_processor", "verify", *words]
    try:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=writes, check=False)
    finally:
        os.close(writes)
    assert ended.returncode == 141 and b"1 differ" in ended.stdout


def test_an_item_that_is_never_accepted_keeps_no_other_from_being_repaired(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """It differs still; so may an item be that was set aside."""
    (task,) = load_tasks(file)
    replica = clients.tables(task.destination)
    index = {
        "IndexName": "by-size",
        "KeySchema": [{"AttributeName": "size", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    replica.update_table(
        TableName=task.destination.table,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "size", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    source = clients.tables(task.source)
    for name, size in (("a", {"NULL": True}), ("b", {"N": "1"}), ("c", {"N": "2"})):
        item = {"pk": {"S": name}, "size": size}
        source.put_item(TableName=task.source.table, Item=item)
    report = tmp_path / "report.jsonl"
    code, out, told = ask(
        *("verify", "--patience", "0", "--json", "--repair", "--report", str(report))
    )
    assert code == ExitCode.CRASH, told
    assert json.loads(out)["differing"] == 1 and json.loads(out)["total"]["equal_again"] == 2
    outcomes = {line["key"]["pk"]["S"]: line["outcome"] for line in _lines(report)}
    assert outcomes == {"a": "refused", "b": "put", "c": "put"}


def test_what_cannot_be_traced_is_neither_equal_nor_deleted(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """Exit code 4, a sentence with its number, and its line in the report."""
    text = file.read_text().rstrip("\n")
    file.write_text(f"{text}\n    transform: {{set: {{twice: \"join('', [pk, pk])\"}}}}\n")
    (task,) = load_tasks(file)
    client = clients.tables(task.source)
    client.put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    assert ask("copy", "--force").code == ExitCode.OK
    verify = ("verify", "--patience", "0", "--segments", "2", "--json")
    code, out, _ = ask(*verify)
    assert (code, json.loads(out)["total"]["laid"]) == (ExitCode.OK, 1)
    file.write_text(f'{text}\n    transform: {{python: "tests.table.ruled:flatten"}}\n')
    client.delete_item(TableName=task.source.table, Key={"pk": {"S": "a"}})
    report = tmp_path / "report.jsonl"
    code, out, err = ask(*verify, "--repair", "--delete-extra", "--report", str(report))
    assert (code, json.loads(out)["total"]["untraced"]) == (ExitCode.UNKNOWN, 1)
    assert "1 items of the destination do not carry" in err
    (line,) = map(json.loads, report.read_text().splitlines())
    assert (line["kind"], line["source_key"], line["outcome"]) == ("untraced", None, "left")


def test_what_cannot_be_traced_is_equal_if_its_keys_are_those_that_are_laid(
    ask: Ask, file: Path
) -> None:
    """They need not meet in the scans for that; one more, or one less, and it is not known."""
    text = file.read_text().rstrip("\n")
    file.write_text(f'{text}\n    transform: {{python: "tests.table.ruled:renamed"}}\n')
    (task,) = load_tasks(file)
    source, replica = clients.tables(task.source), clients.tables(task.destination)
    for number in range(20):
        source.put_item(TableName=task.source.table, Item={"pk": {"S": str(number)}})
    assert ask("copy", "--force").code == ExitCode.OK
    verify = ("verify", "--patience", "0", "--segments", "5", "--json")
    code, out, err = ask(*verify)
    total = json.loads(out)["total"]
    assert (code, total["laid"], total["destination"]) == (ExitCode.OK, 20, 20), err
    assert total["untraced"] > 0 and "none is extra" in err
    replica.put_item(TableName=task.destination.table, Item={"pk": {"S": "x-20"}})
    code, _, err = ask(*verify)
    assert code == ExitCode.UNKNOWN and "they are left" in err
    source.put_item(TableName=task.source.table, Item={"pk": {"S": "21"}})
    assert ask(*verify, "--repair").code == ExitCode.UNKNOWN
    assert ask(*verify).code == ExitCode.UNKNOWN


@pytest.mark.parametrize(
    "words",
    [("--dry-run",), ("--delete-extra",), ("--show-values",), ("--repair", "--delete-kept")],
)
def test_flags_without_what_they_belong_to_are_refused(ask: Ask, words: tuple[str, ...]) -> None:
    """Nothing is read, and the hint is what to add."""
    code, _, err = ask("verify", *words)
    assert code == ExitCode.CONFIG and "Try: add --" in err


def test_a_report_that_cannot_be_written_is_told(ask: Ask, file: Path) -> None:
    """Its disk is full."""
    (task,) = load_tasks(file)
    item = {"pk": {"S": "a"}}
    clients.tables(task.source).put_item(TableName=task.source.table, Item=item)
    code, _, told = ask("verify", "--patience", "0", "--report", "/dev/full")
    assert code == ExitCode.CONFIG and "/dev/full cannot be written: No space left" in told


def test_gaps_whose_healing_cannot_be_noted_are_told(ask: Ask, file: Path, tmp_path: Path) -> None:
    """The tables are equal, and the gaps stay open."""
    (task,) = load_tasks(file)
    gaps = TaskFiles(task, tmp_path / "state").gaps
    note_gap(gaps, Gap(0.0, "shardId-1", "17", None, None, "trimmed"))
    settled(gaps).symlink_to(tmp_path / "nowhere" / "file")
    code, _, told = ask("verify", "--patience", "0")
    assert code == ExitCode.CONFIG and "The tables are equal" in told and str(gaps) in told


def _lines(report: Path) -> list[Any]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def test_a_whole_run_is_the_tasks_proof_where_one_can_be_kept(ask: Ask, file: Path) -> None:
    """A task that has no checkpoint tables has no place for it; part of a table is no proof."""
    (task,) = load_tasks(file)
    whole = ("verify", "--patience", "0", "--segments", "2")
    code, _, told = ask(*whole)
    assert code == ExitCode.OK and "No proof is kept: the task has no checkpoint tables" in told
    make_kcl_tables(task)
    assert ask(*whole[:3], "--part", "0/2").code == ExitCode.OK
    assert read_standing(task) is None
    code, _, told = ask(*whole)
    assert code == ExitCode.OK and "proof" not in told
    standing = read_standing(task)
    assert standing and standing.proven_at and standing.differences == 0
    item = {"pk": {"S": "a"}}
    clients.tables(task.source).put_item(TableName=task.source.table, Item=item)
    assert ask(*whole).code == ExitCode.CRASH
    later = read_standing(task)
    assert later and (later.proven_at, later.differences) == (standing.proven_at, 1)


def test_equal_tables_of_another_replica_settle_no_gap(
    ask: Ask, file: Path, ran: Task, tmp_path: Path
) -> None:
    """A copy of the file that names another destination is of the same task, by its name and its
    checkpoints, and says nothing of what the gap has lost."""
    gaps = TaskFiles(ran, tmp_path / "state").gaps
    note_gap(gaps, Gap(0.0, "shardId-1", "17", None, None, "trimmed"))
    other = f"{ran.destination.table}-other"
    client = clients.tables(ran.destination)
    client.create_table(
        TableName=other,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    file.write_text(file.read_text().replace(ran.destination.table, other))
    code, _, told = ask("verify", "--patience", "0")
    assert code == ExitCode.OK and "stay open" in told and "belongs to the replica" in told
    assert not settled(gaps).exists()
    file.write_text(file.read_text().replace(other, ran.destination.table))
    code, _, told = ask("verify", "--patience", "0")
    assert code == ExitCode.OK and "1 gap noted on this host settled" in told


def test_a_round_that_ends_equal_settles_the_gaps_before_it(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """As a whole run does: each part was compared since the round began."""
    (task,) = load_tasks(file)
    gaps = TaskFiles(task, tmp_path / "state").gaps
    note_gap(gaps, Gap(0.0, "shardId-1", "17", None, None, "trimmed"))
    code, out, told = ask("verify", "--patience", "0", "--resume")
    assert code == ExitCode.OK and "1 gap noted on this host settled" in told
    assert out.startswith("PART ") and "part 7 of 8 proven" in told


def test_a_round_that_another_host_began_settles_no_gap_that_may_have_come_later(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """By that host's clock, which may be ahead of this one's; the next round is this host's own."""
    (task,) = load_tasks(file)
    gaps, now = TaskFiles(task, tmp_path / "state").gaps, time.time()
    make_kcl_tables(task)
    adopt_proof(task, replica_of(task), lambda: (8, 32), now + 600)
    note_gap(gaps, Gap(now, None, "17", None, None, "off for a while"))
    code, _, told = ask("verify", "--patience", "0", "--resume")
    assert code == ExitCode.OK and "1 gap noted on this host stays open" in told
    assert not settled(gaps).exists()
    code, _, told = ask("verify", "--patience", "0", "--resume")
    assert code == ExitCode.OK and "1 gap noted on this host settled" in told

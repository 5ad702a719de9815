"""Writers move to the destination: nothing is lost, and a writer that goes on is caught."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration import local_tables, other_stores, stream_reader, task_file
from integration.background import repeating
from integration.clients import client
from integration.commands import Commands
from integration.local_tables import DESTINATION_REGION, HASH_ONLY, SOURCE_REGION, STREAM
from integration.simulator.items import Item
from integration.story import Stories
from integration.until import until
from integration.worker import Worker
from kcl_processor.demo.items import every_type
from kcl_processor.errors import ExitCode
from kcl_processor.operate.freeze import WRITES

pytestmark = pytest.mark.story

# No multiple of 5, or what is deleted were never there.
KEYS = 41
# What a switchover says once its writers are to have stopped.
WAITS = "waiting until"


class Migration:
    """A source with a stream, a destination, and a task between them on one store."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.url = url
        self.name = f"orders-{uuid.uuid4().hex[:8]}"
        self.source = client("dynamodb", url, SOURCE_REGION)
        self.destination = client("dynamodb", url, DESTINATION_REGION)
        local_tables.create(self.source, self.name, HASH_ONLY, StreamSpecification=STREAM)
        local_tables.create(self.destination, self.name, HASH_ONLY)
        self.arn = str(self.table(self.source)["TableArn"])
        self.commands = Commands(folder / "tasks.yml", folder / "state")
        task_file.write(self.commands.file, self.name, task_file.between(url, url, self.name))
        self.written = 0

    def table(self, side: Any) -> dict[str, Any]:
        found: dict[str, Any] = side.describe_table(TableName=self.name)["Table"]
        return found

    def daemon(self) -> Worker:
        command = self.commands.line("run", "--log-dir", str(self.folder))
        return Worker(command, self.folder / "run.log")

    def reversed(self) -> Commands:
        """The commands of the task in the other direction."""
        printed = self.commands.run("switchover", "--reverse")
        assert printed.returncode == ExitCode.OK, printed.stderr
        file = self.folder / "back.yml"
        file.write_text(printed.stdout)
        return Commands(file, self.commands.state)

    @contextmanager
    def replicating(self) -> Iterator[Worker]:
        """The daemon, which has applied a change of its first start."""
        self.write()
        with self.daemon() as daemon:
            until(self.equal, "the first change arrives", 90)
            yield daemon

    def switchover(self, *words: str, name: str = "switch.log") -> Worker:
        """The command, started; its log has both of its outputs."""
        line = self.commands.line("switchover", "--processes", "1", *words)
        command = Worker(line, self.folder / name)
        command.start()
        return command

    def write(self, side: Any = None) -> None:
        """A writer's change at the source: a put, an update or a deletion of one of a few keys."""
        side = side or self.source
        self.written = version = self.written + 1
        key = {"pk": {"S": f"k{version * 7 % KEYS}"}}
        if version % 5 == 0:
            side.delete_item(TableName=self.name, Key=key)
        elif version % 3 == 0:
            side.update_item(
                TableName=self.name,
                Key=key,
                UpdateExpression="ADD version :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )
        else:
            item = every_type(key["pk"]["S"], version)
            side.put_item(TableName=self.name, Item=item)

    def versions(self) -> set[int]:
        """The versions that the destination has of its items."""
        held = self.held(self.destination).values()
        return {int(item["version"]["N"]) for item in held if "version" in item}

    def may_write(self) -> bool:
        """Whether no policy denies it; moto keeps policies, and obeys none."""
        try:
            shown = self.source.get_resource_policy(ResourceArn=self.arn)["Policy"]
        except ClientError:
            return True
        denied = [one for one in json.loads(shown)["Statement"] if one["Effect"] == "Deny"]
        return not any(set(WRITES) <= set(one["Action"]) for one in denied)

    def write_if_allowed(self) -> None:
        """The change of a writer that AWS would not let through."""
        if self.may_write():
            self.write()

    def until_written(self, changes: int) -> None:
        """Wait until the writers made so many more."""
        enough = self.written + changes
        until(lambda: self.written >= enough, f"{changes} more changes are made", 30)

    def held(self, side: Any) -> dict[str, Item]:
        return {item["pk"]["S"]: item for item in local_tables.items(side, self.name)}

    def equal(self) -> bool:
        return self.held(self.source) == self.held(self.destination)

    def row(self) -> Item | None:
        """What a switchover left beside the checkpoints."""
        found = self.source.get_item(
            TableName=f"leases-{self.name}-CoordinatorState",
            Key={"key": {"S": "KclProcessorSwitchover"}},
            ConsistentRead=True,
        )
        item: Item | None = found.get("Item")
        return item

    def certificate(self) -> dict[str, Any]:
        """As it lies in the state directory."""
        path = self.commands.state / f"{self.name}.switchover.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def changes(self, side: Any) -> Iterator[tuple[str, str]]:
        """Each change that a side's stream holds."""
        streams = client("dynamodbstreams", self.url, side.meta.region_name)
        return changes_of(streams, self.table(side)["LatestStreamArn"])

    def last_changes(self) -> dict[str, str]:
        """Shard of the source to the sequence number of its last change."""
        return dict(self.changes(self.source))


def changes_of(streams: Any, arn: str) -> Iterator[tuple[str, str]]:
    """The shard and the sequence number of each change that a stream holds."""
    for shard in stream_reader.shards(streams, arn):
        name = shard["ShardId"]
        start = stream_reader.iterator(streams, arn, name)
        for record in stream_reader.records(streams, start):
            yield name, record["dynamodb"]["SequenceNumber"]


def until_says(command: Worker, words: str) -> None:
    until(lambda: words in command.log() or not command.running(), words, 90)
    assert words in command.log(), command.log()


def assert_certified(migration: Migration, command: Worker) -> None:
    """The certificate is true: item by item, and shard by shard."""
    assert command.wait(120) == ExitCode.OK, command.log()
    told, items = migration.certificate(), migration.held(migration.source)
    assert items and items == migration.held(migration.destination)
    assert (told["items_compared"], told["differences"]) == (len(items), 0)
    ends = {one["shard"]: one["last_sequence_number"] for one in told["shards"]}
    assert ends == migration.last_changes()


def test_writers_that_stop_are_certified_and_can_come_back(local: str, tmp_path: Path) -> None:
    """They write until they are told to stop, and some time longer; then at the other side, from
    where a replica brings their changes back, without a circle."""
    migration = Migration(local, tmp_path)
    with migration.replicating() as daemon:
        with repeating(migration.write, 0.02):
            command = migration.switchover("--yes", "--wait", "60")
            until_says(command, WAITS)
            migration.until_written(50)
        assert_certified(migration, command)
        again = migration.commands.run("switchover")
        assert again.returncode == ExitCode.OK, again.stderr
        assert "The daemon still runs: " in again.stderr
        status = migration.commands.status()
        assert status["state"] == "paused"
        assert any("by the switchover of" in reason for reason in status["reasons"])
        assert any("its writers write to the destination" in reason for reason in status["reasons"])
        assert daemon.stop() == 0
    again = migration.commands.run("switchover")
    assert "Nobody wrote to the source since" in again.stderr
    assert "still runs" not in again.stderr and again.stdout.startswith(migration.name)
    refused = migration.commands.run("run")
    assert refused.returncode == ExitCode.CONFIG and "was switched over" in refused.stderr

    back = migration.reversed()
    prepared = back.run("prepare", "--yes")
    assert prepared.returncode == ExitCode.OK, prepared.stderr
    daemon = Worker(back.line("run", "--log-dir", str(tmp_path)), tmp_path / "back.log")
    with daemon:
        for _ in range(60):
            migration.write(migration.destination)
        until(migration.equal, "what was written at the other side is back", 90)
        changes = len(list(migration.changes(migration.destination)))
        assert migration.equal() and changes <= 60, "none came round"


@pytest.mark.drill
def test_shards_that_close_meanwhile_are_read_to_their_end(story: Stories) -> None:
    """Rollovers and a split while it waits: each shard's end is awaited, and its children's."""
    told = story(lineages=3, preload=200, keys=200, rate=100.0)
    told.started()
    line = told.commands.line("switchover", "--yes", "--wait", "90", "--processes", "1")
    with Worker(line, told.folder / "switch.log") as command:
        until_says(command, WAITS)
        for turn in ({"rollover": None}, {"split": 0}, {"rollover": None}):
            told.simulator.control(**turn)
            arrives = told.more_writes(20)
            until(arrives, "writers go on", 30)
        told.simulator.control(load={"rate": 0})
        assert command.wait(120) == ExitCode.OK, command.log()
    assert told.simulator.verdict()["equal"]
    path = told.commands.state / f"{told.name}.switchover.json"
    certified = json.loads(path.read_text())
    ends = {one["shard"]: one["last_sequence_number"] for one in certified["shards"]}
    open_ones = {one["shard"] for one in certified["shards"] if not one["closed"]}
    assert open_ones == set(told.owners()) and len(open_ones) == 4
    streams = client("dynamodbstreams", told.simulator.source_url)
    last = dict(changes_of(streams, certified["stream"]))
    assert len(ends) > len(open_ones)
    assert {name: last.get(name) for name in ends} == ends


@pytest.mark.drill
def test_a_writer_that_goes_on_is_caught(local: str, tmp_path: Path) -> None:
    """By a code of its own; then everything is as it was, and the replica goes on."""
    migration = Migration(local, tmp_path)
    with migration.replicating():
        frozen = migration.commands.run("switchover", "--yes", "--freeze")
        assert frozen.returncode == ExitCode.SOURCE and "has no such operation" in frozen.stderr
        with repeating(migration.write, 0.2):
            command = migration.switchover("--yes", "--wait", "30")
            assert command.wait(120) == ExitCode.WRITTEN, command.log()
        assert f"Somebody still writes to {migration.name}" in command.log()
        assert "Everything is as it was." in command.log()
        assert migration.row() is None
        until(migration.equal, "the last changes arrive", 30)


@pytest.mark.drill
def test_writes_are_denied_also_by_one_that_is_killed(tmp_path: Path) -> None:
    """On moto, whose writers here look at the policy themselves: killed and typed again it goes on,
    to a certificate; the policy that was there comes back to the letter."""
    with other_stores.moto() as url:
        migration = Migration(url, tmp_path)
        theirs = json.dumps({"Version": "2012-10-17", "Statement": [allowing(migration.arn)]})
        migration.source.put_resource_policy(ResourceArn=migration.arn, Policy=theirs)
        with migration.replicating(), repeating(migration.write_if_allowed, 0.05):
            command = migration.switchover("--yes", "--freeze", "--wait", "60")
            until_says(command, WAITS)
            command.kill()
            assert not migration.may_write()
            asked = migration.switchover(name="asked.log")
            assert asked.wait() == ExitCode.CONFIG and "did not come to its end" in asked.log()
            assert not migration.may_write(), "nobody agreed to anything"
            again = migration.switchover("--yes", "--wait", "60", name="again.log")
            assert_certified(migration, again)
            assert migration.certificate()["writes_denied"] and not migration.may_write()
            undone = migration.commands.run("switchover", "--back", "--yes")
            assert undone.returncode == ExitCode.OK, undone.stderr
            migration.until_written(20)
            last = migration.written
            until(lambda: max(migration.versions()) >= last, "writers and the daemon go on", 30)
        shown = migration.source.get_resource_policy(ResourceArn=migration.arn)
        assert shown["Policy"] == theirs and migration.row() is None


@pytest.mark.drill
def test_a_writer_that_no_policy_stops_is_caught(tmp_path: Path) -> None:
    """And what was denied is allowed again."""
    with other_stores.moto() as url:
        migration = Migration(url, tmp_path)
        with migration.replicating(), repeating(migration.write, 0.2):
            command = migration.switchover("--yes", "--freeze", "--wait", "30")
            assert command.wait(120) == ExitCode.WRITTEN, command.log()
        assert "are denied, by statement" in command.log()
        assert migration.may_write() and migration.row() is None
        with pytest.raises(ClientError, match="PolicyNotFoundException"):
            migration.source.get_resource_policy(ResourceArn=migration.arn)


def allowing(arn: str) -> dict[str, Any]:
    """Somebody else's statement."""
    who = {"AWS": "arn:aws:iam::210987654321:role/analyst"}
    query = "dynamodb:Query"
    return {"Sid": "A", "Effect": "Allow", "Principal": who, "Action": query, "Resource": arn}

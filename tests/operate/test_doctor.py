"""The doctor: what it finds, that it changes nothing, and how it says so."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from kcl_processor.aws import clients
from kcl_processor.config.access import DEFAULT
from kcl_processor.config.task import Metrics, Task, ThrottleWhen
from kcl_processor.errors import ConfigError
from kcl_processor.launch.checked import check_once
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.identity import Identity, write_claim
from kcl_processor.launch.live_mark import LiveMark, replace_live_mark
from kcl_processor.launch.preflight import check_destination, check_source
from kcl_processor.launcher.java import Java
from kcl_processor.operate.check import Check
from kcl_processor.operate.doctor import Doctor
from kcl_processor.transform.rules import Rules
from tests.edges import Reply, serving
from tests.fakes import HandClock
from tests.javas import SAYS_JAVA_17, java_that
from tests.kcl_tables import (
    as_kcl_1,
    fill,
    make_source_and_destination,
    make_task,
    rows_in,
    snapshot,
)
from tests.kclpy import InstalledKclpy


@pytest.fixture(autouse=True)
def _sts(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor asks who it is; a client once made is kept, and other tests ask it, too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)


def archived(folder: Path, _java: Java, _class_path: str) -> Path:
    """What takes seconds to be made."""
    return folder / "classes.jsa"


def refused(folder: Path, _java: Java, _class_path: str) -> Path:
    """No archive can be made."""
    raise ConfigError(f"none in {folder}", "do without")


def test_an_archive_of_classes_is_a_matter_of_seconds(moto_url: str, tmp_path: Path) -> None:
    """Where it cannot be made, a start takes longer, and nothing fails."""
    clock, java = HandClock(), str(java_that(tmp_path, SAYS_JAVA_17))
    for archive, result, text in (
        (archived, "ok", f"classes archived: {tmp_path / 'classes.jsa'}"),
        (refused, "warn", f"none in {tmp_path}"),
    ):
        task = make_task(moto_url)
        doctor = Doctor(task, tmp_path, tmp_path, java, clock, clock.turn, archive)
        *_, last = (check for check in doctor.examine() if check.group == "java")
        assert (last.result, last.text) == (result, text)


def examine(task: Task, tmp_path: Path, clock: HandClock | None = None) -> list[Check]:
    clock, java = clock or HandClock(), str(java_that(tmp_path, SAYS_JAVA_17))
    doctor = Doctor(task, tmp_path, tmp_path, java, clock, clock.turn, archived)
    return [check for check in doctor.examine() if check.group not in ("java", "host")]


def results(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.group, check.result) for check in checks if check.result != "ok"]


def test_a_task_that_is_ready_has_nothing_to_mend(moto_url: str, tmp_path: Path) -> None:
    """Tables there, keys equal, every call allowed."""
    task = replace(make_task(moto_url), metrics=Metrics(publish=False))
    make_source_and_destination(task)
    assert results(examine(task, tmp_path)) == []


@pytest.fixture
def queue(moto_url: str) -> str:
    """The URL of a queue."""
    sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=moto_url)
    return str(sqs.create_queue(QueueName=f"letters-{uuid.uuid4().hex}")["QueueUrl"])


def letters(task: Task, tmp_path: Path) -> list[Check]:
    return [check for check in examine(task, tmp_path) if check.group == "dead letters"]


def test_a_queue_of_dead_letters_is_looked_at(moto_url: str, queue: str, tmp_path: Path) -> None:
    """One line, which says what was not tried; without a queue there is none."""
    (found,) = letters(make_task(moto_url, dead_letters=queue, on_poison="dead-letter"), tmp_path)
    assert found.result == "ok" and queue in found.text
    assert "4 days" in found.text and "not tried" in found.text
    assert letters(make_task(moto_url, on_poison="dead-letter"), tmp_path) == []


@pytest.mark.parametrize(("on_poison", "result"), [("dead-letter", "fail"), ("stop", "warn")])
def test_a_queue_that_is_not_there_is_told_before_the_first_letter(
    moto_url: str, queue: str, tmp_path: Path, on_poison: str, result: str
) -> None:
    """A start that would put letters there is refused; another has only old ones to replay."""
    task = make_task(moto_url, dead_letters=f"{queue}x", on_poison=on_poison)
    (found,) = letters(task, tmp_path)
    assert found.result == result and f"{queue}x" in found.text and "dead_letters" in found.hint


def test_a_queue_that_may_not_be_seen_is_warned_of(moto_url: str, tmp_path: Path) -> None:
    """It may take letters all the same."""
    denied = {"__type": "com.amazonaws.sqs#AccessDeniedException"}
    with serving(lambda _request: Reply.of(denied, 400)) as sqs:
        place = f"{sqs.url}/123456789012/letters"
        task = make_task(moto_url, dead_letters=place, on_poison="dead-letter")
        (found,) = letters(task, tmp_path)
    assert found.result == "warn" and "sqs:GetQueueAttributes" in found.why
    assert "kcl-processor iam" in found.hint


def throttles(when: ThrottleWhen | None, moto_url: str, tmp_path: Path) -> list[Check]:
    # A region of its own, as clients are kept.
    task = make_task(moto_url, throttle_when=when)
    task = replace(task, destination=replace(task.destination, region="ap-south-2"))
    return [check for check in examine(task, tmp_path) if check.group == "throttle"]


@pytest.mark.parametrize(
    ("named", "result", "text"),
    [
        ("{name}", "ok", "in ap-south-2 is in state"),
        ("arn:aws:cloudwatch:ap-south-2:123456789012:alarm:{name}", "ok", "is in state"),
        ("{name}x", "warn", "find no alarm {name}x in ap-south-2"),
        ("arn:aws:cloudwatch:ap-south-2:2:alarm:{name}", "warn", "find no alarm {name}"),
    ],
)
def test_an_alarm_that_throttles_is_looked_for(
    moto_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    result: str,
    text: str,
) -> None:
    """By its name, or by its ARN: one of another account that has its name is another."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", moto_url)
    name = f"hot-{uuid.uuid4().hex}"
    clients.alarms("ap-south-2", DEFAULT).put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/DynamoDB",
        MetricName="WriteThrottleEvents",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )
    (found,) = throttles(ThrottleWhen(alarm=named.format(name=name)), moto_url, tmp_path)
    assert found.result == result and text.format(name=name) in found.text


def test_what_throttles_may_be_out_of_sight(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm that may not be seen is told, and that a command was not run."""
    assert throttles(None, moto_url, tmp_path) == []
    (command,) = throttles(ThrottleWhen(command="false"), moto_url, tmp_path)
    assert command.result == "ok" and "not run here" in command.text
    denied = {"__type": "AccessDenied", "message": "no"}
    with serving(lambda _request: Reply.of(denied, 403)) as cloudwatch:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.url)
        arn = "arn:aws:cloudwatch:af-south-1:123456789012:alarm:hot"
        (found,) = throttles(ThrottleWhen(alarm=arn), moto_url, tmp_path)
    assert found.result == "warn" and "is not known" in found.text
    assert "allow cloudwatch:DescribeAlarms" in found.hint


def test_the_leases_of_the_original_are_recognised(moto_url: str, tmp_path: Path) -> None:
    """What the first start does with them is told before it, and that it is for good."""
    task = replace(make_task(moto_url), metrics=Metrics(publish=False))
    make_source_and_destination(task)
    facts = check_source(task.source)
    streams = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=moto_url)
    described = streams.describe_stream(StreamArn=facts.stream_arn)["StreamDescription"]
    row = as_kcl_1(snapshot("two-workers")[0][0])
    fill(task, [{**row, "leaseKey": {"S": described["Shards"][0]["ShardId"]}}])
    (found,) = [check for check in examine(task, tmp_path) if check.result != "ok"]
    assert (found.result, found.text[:8]) == ("warn", "1 leases")
    assert "no way back" in found.why and "stop what wrote them" in found.hint


def test_a_live_copy_that_was_cut_off_is_warned_of(moto_url: str, tmp_path: Path) -> None:
    """One at work is as it should be."""
    task = replace(make_task(moto_url), metrics=Metrics(publish=False))
    make_source_and_destination(task)
    fill(task, [])
    now = HandClock().now()
    mark = LiveMark("t", CopyState.BEGUN, "host-1", now, now, 1, 32, "", to_empty=True)
    assert replace_live_mark(task, None, mark)
    assert results(examine(task, tmp_path)) == []
    assert replace_live_mark(task, mark, replace(mark, beat_at=now - 3600))
    (check,) = [one for one in examine(task, tmp_path) if one.result != "ok"]
    assert "is not finished" in check.text and f"copy --live {task.name}" in str(check)


def test_the_probes_change_nothing(moto_url: str, tmp_path: Path) -> None:
    """KCL's tables and both sides hold afterwards what they held before."""
    task = make_task(moto_url)
    client = make_source_and_destination(task)
    tables = snapshot("two-workers")
    fill(task, *tables)
    client.put_item(TableName=task.destination.table, Item={"pk": {"S": "a"}})
    before = rows_in(client, task.kcl.application_name)
    examine(task, tmp_path)
    assert rows_in(client, task.kcl.application_name) == before
    assert len(rows_in(client, f"{task.kcl.application_name}-CoordinatorState")) == len(tables[1])
    assert len(rows_in(client, task.destination.table)) == 1


def test_rules_are_told_and_are_of_the_checkpoints(moto_url: str, tmp_path: Path) -> None:
    """A destination of other keys is written to by these; other rules than were claimed fail."""
    rules = Rules(set=(("id", "pk"),))
    task = make_task(moto_url, rules=rules, metrics=Metrics(publish=False))
    client = make_source_and_destination(task)
    client.delete_table(TableName=task.destination.table)
    client.create_table(
        TableName=task.destination.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    fill(task, [])
    facts = check_source(task.source)
    found, transform = check_destination(task, facts.keys, facts.table)
    assert transform
    write_claim(task, None, Identity(facts.table, facts.stream_arn, found, transform.digest()))
    checks = examine(task, tmp_path)
    assert not [check for check in checks if check.result == "fail"]
    said = [check.text for check in checks if check.group == "destination"]
    assert "rules: set id" in said and "keys pk S are laid to id S" in said
    other = examine(replace(task, rules=replace(rules, exclude=("card",))), tmp_path)
    (failed,) = [check for check in other if check.result == "fail"]
    assert "rules of task" in failed.text


def test_what_is_missing_is_named_with_its_cure(moto_url: str, tmp_path: Path) -> None:
    """No source: the source fails, the destination cannot be judged, the rest is checked."""
    checks = examine(make_task(moto_url), tmp_path)
    by_group = {check.group: check for check in checks if check.result != "ok"}
    assert by_group["source"].result == "fail" and by_group["source"].hint
    assert by_group["destination"].result == "warn"
    assert "checkpoint table" in {check.group for check in checks}


def test_an_old_lease_table_lacks_its_index(moto_url: str, tmp_path: Path) -> None:
    """A table of KCL 1.x works, but the first start takes minutes."""
    task = make_task(moto_url)
    client = make_source_and_destination(task)
    client.create_table(
        TableName=task.kcl.application_name,
        KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    (found,) = [check for check in examine(task, tmp_path) if "no index" in check.text]
    assert found.result == "warn"


def test_a_leader_that_is_gone_is_found(moto_url: str, tmp_path: Path) -> None:
    """The lock outlives its owner: a warning when nobody runs, a failure when somebody does."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    leases, coordinator, workers = snapshot("two-workers")
    client = fill(task, leases, coordinator, workers)
    assert ("fleet", "warn") in results(examine(task, tmp_path, _later(clock)))
    alive = {**workers[0], "lut": {"N": str(int(clock.now()))}}
    client.put_item(TableName=f"{task.kcl.application_name}-WorkerMetricStats", Item=alive)
    assert ("fleet", "fail") in results(examine(task, tmp_path, clock))


def _later(clock: HandClock) -> HandClock:
    """A clock long after the snapshot was taken."""
    clock.seconds = 200_000_000.0
    return clock


def test_recovery_that_is_off_is_warned_of_where_gaps_are_healed(
    moto_url: str, tmp_path: Path
) -> None:
    """Before the first gap, of which it would be too late."""
    task = replace(make_task(moto_url), on_gap="heal", heal_bucket="changes")
    client = make_source_and_destination(task)
    client.update_continuous_backups(
        TableName=task.source.table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    found = [check for check in examine(task, tmp_path) if check.group == "gaps"]
    assert [check.result for check in found] == ["ok", "warn"]
    assert "recovery of the destination is off" in found[1].text
    assert f"--table-name {task.destination.table}" in (found[1].hint or "")


def test_a_lease_limit_is_warned_of(moto_url: str, tmp_path: Path) -> None:
    """More shards than workers may take are read by nobody."""
    task = make_task(moto_url, properties={"maxLeasesForWorker": "1"})
    make_source_and_destination(task)
    assert ("config", "warn") in results(examine(task, tmp_path))


def test_a_setting_that_the_daemon_does_not_obey_is_warned_of(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor passes with it, and the daemon would not."""
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "token")
    task = make_task(moto_url)
    make_source_and_destination(task)
    (found,) = [check for check in examine(task, tmp_path) if "AWS_SECURITY_TOKEN" in check.text]
    assert (found.group, found.result, found.hint) == ("config", "warn", "AWS_SESSION_TOKEN")


def test_a_jar_that_is_none_is_found(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time, whatever an earlier start noted; it says what brings another."""
    kclpy, clock = InstalledKclpy(tmp_path / "installed", monkeypatch), HandClock()
    task, java = make_task(moto_url), str(java_that(tmp_path, SAYS_JAVA_17))
    doctor = Doctor(task, tmp_path, tmp_path, java, clock, clock.turn, archived)
    check_once(tmp_path)
    assert [check.result for check in doctor.examine() if check.group == "java"] == ["ok"] * 3
    path = kclpy.damage("sts")
    checks = [check for check in doctor.examine() if check.group == "java"]
    assert [check.result for check in checks] == ["ok", "fail"]
    assert path.name in checks[1].text and checks[1].hint == kclpy.manifest.kclpy.reinstall

"""The YAML file: what is right loads, what is wrong is named with file, line and key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.config.task import Task, ThrottleWhen, default_task_name
from kcl_processor.config.yaml_file import find_task, load_tasks
from kcl_processor.errors import ConfigError, ExitCode

# Loads the tasks of a text.
Load = Callable[[str], list[Task]]

TASK = """\
tasks:
  orders:
    source: {region: us-east-1, table: orders}
    destination: {region: us-west-2, table: orders}
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str) -> list[Task]:
        path = tmp_path / "tasks.yml"
        path.write_text(text, encoding="utf-8")
        return load_tasks(path)

    return load_text


def test_a_task_needs_only_two_tables(load: Load) -> None:
    """Everything but the two tables has a default, those of the original library."""
    (task,) = load(TASK)
    assert task.kcl.application_name == "DynamoDBCrossRegionReplicationorders"
    assert (task.kcl.region, task.kcl.endpoint) == ("us-east-1", None)
    assert (task.batch_size, task.metrics.publish) == (1000, True)
    assert (task.on_poison, task.on_gap) == ("stop", "stop")


def test_gaps_are_healed_by_way_of_a_bucket(load: Load) -> None:
    """Without one it is refused: the first gap would find it out."""
    (task,) = load(f"{TASK}    on_gap: heal\n    heal_bucket: changes/orders\n")
    assert (task.on_gap, task.heal_bucket) == ("heal", "changes/orders")
    with pytest.raises(ConfigError) as raised:
        load(f"{TASK}    on_gap: heal\n")
    assert "on_gap" in raised.value.message and "heal_bucket: NAME" in raised.value.hint
    with pytest.raises(ConfigError, match="S3 bucket"):
        load(f"{TASK}    heal_bucket: s3://changes\n")


@pytest.mark.parametrize(
    ("given", "region"),
    [
        (ThrottleWhen(command="test -e /run/hold"), "us-west-2"),
        (ThrottleWhen(alarm="replica: hot"), "us-west-2"),
        (ThrottleWhen(alarm="arn:aws:cloudwatch:eu-west-1:1:alarm:replica: hot"), "eu-west-1"),
    ],
)
def test_what_throttles_is_a_command_or_an_alarm(
    load: Load, given: ThrottleWhen, region: str
) -> None:
    """An alarm is where its ARN says, or beside the destination."""
    ((key, value),) = ((key, value) for key, value in asdict(given).items() if value)
    (task,) = load(f"{TASK}    throttle_when: {{{key}: '{value}'}}\n")
    assert task.throttle_when == given and given.region(task.destination) == region


@pytest.mark.parametrize(
    "place",
    [
        "letters.jsonl",
        "/var/lib/letters",
        "arn:aws-cn:sqs:cn-north-1:123456789012:letters",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/letters",
    ],
)
def test_dead_letters_go_to_a_file_or_a_queue(load: Load, place: str) -> None:
    (task,) = load(f"{TASK}    dead_letters: '{place}'\n")
    assert task.dead_letters == place


@pytest.mark.parametrize(
    "place",
    ["arn:aws:sqs:us-east-1:1", "arn:aws:s3:::letters", "arn:aws:sqs:us-east-1::a", "https://sqs"],
)
def test_what_is_no_queue_is_refused_with_its_line(load: Load, place: str) -> None:
    """A record processor would find it out, at its first letter or in a loop of restarts."""
    with pytest.raises(ConfigError, match=r":5: tasks\.orders\.dead_letters: .* SQS queue"):
        load(f"{TASK}    dead_letters: '{place}'\n")


def test_a_list_of_tasks_needs_no_names(load: Load) -> None:
    """Tasks in a list are named after their tables."""
    text = TASK.replace("  orders:\n    source", "  - source")
    (task,) = load(text)
    assert task.name == default_task_name(task.source, task.destination)


def test_kcl_lives_beside_the_source_unless_told_otherwise(load: Load) -> None:
    """An endpoint of the source serves KCL too; a region of KCL's own ends that."""
    (beside,) = load(TASK.replace("table: orders}", "table: orders, endpoint: 'http://a'}", 1))
    assert beside.kcl.endpoint == "http://a"
    (apart,) = load(
        TASK.replace("table: orders}", "table: orders, endpoint: 'http://a'}", 1)
        + "    kcl: {region: eu-west-1}\n"
    )
    assert (apart.kcl.region, apart.kcl.endpoint) == ("eu-west-1", None)


@pytest.mark.parametrize(
    ("extra", "line", "says", "hint"),
    [
        ("    batch_sise: 7\n", 5, "batch_sise", "batch_size"),
        ("    batch_size: 5000\n", 5, "'5000'", "1000"),
        ("    unread_seconds: 5\n", 5, "'5'", "unread"),
        ("    batch_size: many\n", 5, "'many'", "1000"),
        ("    batch_size: ²\n", 5, "'²'", "1000"),
        ("    on_poison: ignore\n", 5, "'ignore'", "on_poison"),
        ("    metrics: {publish: maybe}\n", 5, "'maybe'", "true"),
        ("    metrics: [1]\n", 5, "not a mapping", "key: value"),
        ("    kcl: {endpoint: [1]}\n", 5, "a text is wanted", "text"),
        ("    kcl: {regoin: x}\n", 5, "regoin", "region"),
        (
            "    kcl:\n      properties: {failoverTimeMilis: 1}\n",
            6,
            "failoverTimeMilis",
            "failover",
        ),
        ("    kcl:\n      properties: {workerId: a}\n", 6, "workerId", "kcl.worker_id"),
        ("    kcl:\n      properties: {initialPositionInStream: LATEST}\n", 6, "initial", "LATEST"),
        ("    kcl: {application_name: 'a b'}\n", 2, "'a b'", "application_name"),
        ("    kcl: {application_name: ab}\n", 2, "2 characters", "application_name"),
        (f"    kcl: {{application_name: {'x' * 238}}}\n", 2, "238", "application_name"),
        ("    kcl: {worker_id: a b}\n", 2, "'a b' cannot be a worker id", "a-b"),
        ("    source: {region: x, table: y}\n", 5, "stands twice", "keep one"),
        ("tasks2: 1\n", 5, "tasks2", "tasks"),
        ("    kcl: {endpoint: 'localhost:1'}\n", 5, "'localhost:1'", "http://localhost:8000"),
        ("    metrics: {region: us east 1}\n", 5, "'us east 1'", "us-east-1"),
        ("    <<: 1\n", 5, "not of a mapping", "anchor"),
        ("    throttle_when:\n", 5, "neither a command nor an alarm", "command"),
        ("    throttle_wen: {command: a}\n", 5, "throttle_wen", "throttle_when"),
        ("    throttle_when: {alarms: a}\n", 5, "alarms", "alarm"),
        ("    throttle_when: {command: a, alarm: b}\n", 5, "beside each other", "one of them"),
        ("    throttle_when: {command: ' '}\n", 5, "' ' is not a command", "for the shell"),
        ('    throttle_when: {command: "a\\0"}\n', 5, "is not a command", "for the shell"),
        ("    throttle_when: {alarm: 'arn:aws:sns:a:1:b'}\n", 5, "sns", "CloudWatch alarm"),
        ("    throttle_when: true\n", 5, "not a mapping", "key: value"),
    ],
)
def test_what_is_wrong_is_named(load: Load, extra: str, line: int, says: str, hint: str) -> None:
    """Each mistake names its file, line and key, and what to type instead."""
    with pytest.raises(ConfigError) as raised:
        load(TASK + extra)
    error = raised.value
    assert f"tasks.yml:{line}:" in error.message
    assert says in error.message and hint in error.hint
    assert error.exit_code == ExitCode.CONFIG


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("- 1\n", "not a mapping"),
        ("tasks: {}\n", "no task"),
        ("tasks: [", "not YAML"),
        ("tasks:\n  a: {source: {region: x, table: y}}\n", "destination is missing"),
        ("tasks:\n  a: {source: {region: x}, destination: {region: x, table: y}}\n", "table"),
        ("other: 1\n", "tasks is missing"),
        ("tasks:\n  a: {source: {region: x, tabel: y}}\n", "'tabel' is not known"),
        ("tasks: " + "[" * 3000 + "]" * 3000, "too deep"),
        ("tasks: " + "{a: " * 3000 + "1" + "}" * 3000, "too deep"),
    ],
)
def test_what_is_missing_is_named(load: Load, text: str, says: str) -> None:
    """A file that lacks something says what."""
    with pytest.raises(ConfigError, match=says):
        load(text)


def test_a_table_is_not_replicated_onto_itself(load: Load) -> None:
    """Source and destination that are the same table are refused."""
    with pytest.raises(ConfigError, match="same table"):
        load(TASK.replace("us-west-2", "us-east-1"))


def test_tasks_that_undo_each_others_work_are_refused(load: Load) -> None:
    """Two tasks of one file that write to one table, for one."""
    again = TASK.replace("tasks:\n", "").replace("orders:", "more:")
    with pytest.raises(ConfigError, match=r"tasks\.yml: tasks 'orders' and 'more' both write to"):
        load(TASK + again)


def test_a_section_without_keys_is_as_none(load: Load) -> None:
    """As a template leaves it, when none of its keys is wanted."""
    assert load(f"{TASK}    kcl:\n    metrics: ~\n") == load(TASK)
    assert load(TASK.replace("table: orders}", "table: orders, endpoint: ''}")) == load(TASK)


def test_what_tasks_share_is_written_once(load: Load) -> None:
    """A merge key takes over what its mapping does not have, through others, and from a list."""
    tasks = load("""\
x-near: &near {region: us-east-1, endpoint: "http://a"}
x-far: &far {<<: *near, region: us-west-2}
x-limits: &limits {batch_size: 7, checkpoint_seconds: 9}
tasks:
  orders:
    <<: [*limits, {batch_size: 8, unread_seconds: 60}]
    source: {<<: *near, table: orders}
    destination: {table: orders, <<: *far}
""")
    (task,) = tasks
    assert (task.source.region, task.destination.region) == ("us-east-1", "us-west-2")
    assert task.destination.endpoint == "http://a"
    assert (task.batch_size, task.checkpoint_seconds, task.unread_seconds) == (7, 9, 60)


def test_merge_keys_cost_no_more_than_their_text(load: Load) -> None:
    """Forty mappings that each name the one before twice would be a million million."""
    steps = "".join(f"x-{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}\n" for n in range(1, 40))
    assert load(f"x-0: &m0 {{batch_size: 7}}\n{steps}{TASK}    <<: *m39\n")[0].batch_size == 7


def test_a_task_is_found_by_its_name(load: Load, tmp_path: Path) -> None:
    """A wrong name gets the nearest right one; no name is enough where there is one task."""
    tasks = load(TASK)
    assert find_task(tasks, None, tmp_path) is tasks[0]
    with pytest.raises(ConfigError) as raised:
        find_task(tasks, "order", tmp_path)
    assert raised.value.hint == "orders"


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in the file, it loads or it is a ConfigError."""
    path = tmp_path_factory.mktemp("any") / "tasks.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_tasks(path)

"""The original library's flags: the same spelling, and each does what its help says."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from kcl_processor.config.original_flags import add_flags, given_flags, task_from_flags
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError

REQUIRED = (
    "--sourceRegion us-east-1 --sourceTable orders "
    "--destinationRegion us-west-2 --destinationTable copy"
)


def parse(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser)
    return parser.parse_args(text.split())


def task(text: str = "") -> Task:
    return task_from_flags(parse(f"{REQUIRED} {text}"))


def test_the_required_flags_make_a_task_with_the_originals_defaults() -> None:
    """Name, checkpoint table and regions are those the original would have used."""
    made = task()
    name = "DynamoDBCrossRegionReplication6e282808c88e8535e3722d6e1baedc8c"
    assert made.kcl.application_name == name
    assert (made.kcl.region, made.batch_size, made.metrics.publish) == ("us-east-1", 1000, True)


@pytest.mark.parametrize(
    ("flag", "seen"),
    [
        ("--sourceEndpoint http://s", lambda t: t.source.endpoint == "http://s"),
        ("--sourceStreamsEndpoint http://t", lambda t: t.source.streams_endpoint == "http://t"),
        ("--destinationEndpoint http://d", lambda t: t.destination.endpoint == "http://d"),
        ("--destinationEndpoint http://d", lambda t: t.destination.region == "us-west-2"),
        ("--kclRegion eu-west-1", lambda t: t.kcl.region == "eu-west-1"),
        ("--kclEndpoint http://k", lambda t: t.kcl.endpoint == "http://k"),
        ("--taskName x1", lambda t: t.kcl.application_name == "DynamoDBCrossRegionReplicationx1"),
        ("--dontPublishCloudwatch", lambda t: t.metrics.publish is False),
        ("--batchSize 25", lambda t: t.batch_size == 25),
        (
            "--parentShardPollIntervalMillis 250",
            lambda t: t.kcl.properties == {"parentShardPollIntervalMillis": "250"},
        ),
        ("--workerId w", lambda t: t.kcl.worker_id == "w"),
    ],
)
def test_every_flag_does_what_its_help_says(flag: str, seen: Callable[[Task], bool]) -> None:
    """In the original some were read and forgotten."""
    assert seen(task(flag))


@pytest.mark.parametrize("flag", ["--batchSize 0", "--batchSize 5000", "--batchSize x"])
def test_a_batch_size_outside_its_range_is_refused(flag: str) -> None:
    """GetRecords takes 1 to 1000; the original took 5000 without a word."""
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        task(flag)


def test_missing_flags_are_all_named() -> None:
    """One error names every missing flag."""
    with pytest.raises(ConfigError, match="--sourceTable, --destinationTable"):
        task_from_flags(parse("--sourceRegion a --destinationRegion b"))


def test_a_task_name_that_no_table_can_have_is_refused() -> None:
    """The original exited 0 on this."""
    with pytest.raises(ConfigError, match="holds only letters"):
        task("--taskName a/b")


def test_a_worker_id_alone_describes_no_task() -> None:
    """--workerId goes with a task of a file, too."""
    assert given_flags(parse("--workerId w")) == []
    assert given_flags(parse("--batchSize 3")) == ["--batchSize"]

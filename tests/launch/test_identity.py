"""What a checkpoint table belongs to, as it is written down and compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.config.task import Side, Task
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.launch.identity import Identity, Likeness, Noted, read_claim, write_claim
from kcl_processor.launch.incarnation import Incarnation

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/"
OURS = Identity(Incarnation(ARN + "orders", 1.0, "i"), "stream", Incarnation(ARN + "copy", 2.0))


def test_an_identity_is_read_as_it_was_written(task: Task) -> None:
    """Both tables from their creation, and the stream; the same again changes nothing."""
    assert read_claim(task) is None
    assert write_claim(task, None, OURS)
    found = read_claim(task)
    assert found is not None and found.stream == "stream"
    assert found.source.incarnation == OURS.source
    assert found.destination.likeness(OURS.destination) is Likeness.SAME
    assert write_claim(task, found, OURS)


def test_of_two_starts_one_writes(task: Task) -> None:
    """The slower one reads again, and then finds what the faster one wrote."""
    assert write_claim(task, None, OURS)
    assert not write_claim(task, None, replace(OURS, stream="another"))
    found = read_claim(task)
    assert found is not None and found.stream == "stream"


def as_an_earlier_version(task: Task) -> Row:
    """Leave a claim of ARNs alone, as earlier versions wrote it."""
    assert write_claim(task, None, OURS)
    row = read_own(task, "KclProcessorReplica")
    assert row is not None
    early = {name: value for name, value in row.items() if "Incarnation" not in name}
    assert replace_own(task, "KclProcessorReplica", row, early)
    return early


def test_a_claim_of_an_earlier_version_is_taken_over(task: Task) -> None:
    """It holds ARNs; a table that was there before the claim's own is the one that was meant."""
    early = as_an_earlier_version(task)
    found = read_claim(task)
    assert found is not None and found.row == early
    assert found.destination.likeness(OURS.destination) is Likeness.SAME
    later = replace(OURS.destination, created=found.destination.before + 3600)
    assert found.destination.likeness(later) is Likeness.MADE_ANEW
    other = replace(OURS.destination, arn=ARN + "other")
    assert found.destination.likeness(other) is Likeness.OTHER
    assert write_claim(task, found, OURS)
    again = read_claim(task)
    assert again is not None and again.destination.incarnation == OURS.destination


def test_a_claim_that_the_launcher_made_is_taken_over(task: Task) -> None:
    """It holds the destination from its creation, and of the source what its stream tells."""
    assert write_claim(task, None, OURS)
    row = read_own(task, "KclProcessorReplica")
    assert row is not None
    ours = {name: value for name, value in row.items() if name != "sourceIncarnation"}
    assert replace_own(task, "KclProcessorReplica", row, ours)
    found = read_claim(task)
    assert found is not None and found.destination.incarnation == OURS.destination
    assert found.source.likeness(OURS.source) is Likeness.SAME
    assert write_claim(task, found, OURS)


@pytest.mark.parametrize(
    ("arn", "may_be"),
    [
        (ARN + "orders", True),
        (ARN + "orders2", False),
        (ARN.replace("us-east-1", "eu-west-1") + "orders", False),
        ("arn:aws:dynamodb:ddblocal:000000000000:table/orders", True),
        ("arn:scylla:alternator:alternator_orders:scylla:table/orders", True),
    ],
)
def test_a_table_that_is_gone_is_told_by_its_name(arn: str, *, may_be: bool) -> None:
    """And by its region, where the ARN holds one."""
    assert Noted(arn, None).may_be(Side("us-east-1", "orders")) is may_be

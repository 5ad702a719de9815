"""One table is told from another by what its service says, not by the way to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.launch.incarnation import Incarnation

LOCAL = Incarnation("arn:aws:dynamodb:ddblocal:000000000000:table/orders", 1_700_000_000.123)
AWS = Incarnation("arn:aws:dynamodb:us-east-1:123456789012:table/orders", 1_700_000_000.123, "id-1")


def test_a_table_made_anew_is_another() -> None:
    """By its id where the service gives one, by its creation elsewhere."""
    assert AWS.is_table(AWS) and LOCAL.is_table(LOCAL)
    assert not AWS.is_table(replace(AWS, table_id="id-2"))
    assert not LOCAL.is_table(replace(LOCAL, created=LOCAL.created + 0.001))


def test_an_id_is_believed_before_a_creation_time() -> None:
    """Scylla's Alternator has said "now" for it; a shared DynamoDB Local has one ARN in all."""
    assert AWS.is_table(replace(AWS, created=AWS.created + 60))
    assert AWS.is_table(replace(AWS, arn="arn:another"))


def test_a_table_whose_creation_is_not_told_is_known_by_its_id() -> None:
    """A store may leave the moment out of its description."""
    found = Incarnation.of({"TableArn": AWS.arn, "TableId": "id-1"})
    assert Incarnation.read(str(found)) == found and found.is_table(AWS)


def test_two_tables_of_one_name_in_two_places_are_two() -> None:
    """Regions and accounts differ in their ARNs."""
    assert not AWS.is_table(replace(AWS, arn=AWS.arn.replace("east", "west"), table_id=""))


def test_what_was_noted_without_an_id_is_known_again() -> None:
    """A store may learn to give ids, and an older version of this product noted none."""
    assert replace(AWS, table_id="").is_table(AWS)
    noted = f"{AWS.arn} {datetime.fromtimestamp(AWS.created).astimezone().isoformat()}"
    assert Incarnation.read(noted).is_table(AWS)


@given(st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1)), st.sampled_from(["", "id-1"]))
def test_it_is_read_as_it_was_written(created: datetime, table_id: str) -> None:
    """Through text and back, to the millisecond, whatever the service said."""
    table = {
        "TableArn": AWS.arn,
        "CreationDateTime": created.replace(tzinfo=UTC),
        **({"TableId": table_id} if table_id else {}),
    }
    found = Incarnation.of(table)
    assert Incarnation.read(str(found)) == found

"""The demo's items."""

from __future__ import annotations

from kcl_processor.demo.items import every_type


def test_an_item_holds_every_type() -> None:
    """The ten of DynamoDB's data types."""
    kinds = {kind for value in every_type("a", 1).values() for kind in value}
    assert kinds == {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}

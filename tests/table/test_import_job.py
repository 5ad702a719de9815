"""What an import is asked to make; whole ones are in test_managed_copy.py."""

from __future__ import annotations

from kcl_processor.table.import_job import importable
from kcl_processor.table.table_definition import creation
from tests.table.test_table_definition import described


def test_an_import_is_told_what_it_takes_of_a_creation() -> None:
    """Keys, capacity and global indexes; it knows no local ones, no table class and no tags."""
    request = creation(described(), "replica", [{"Key": "team", "Value": "a"}])
    made = importable(request)
    assert made["TableName"] == "replica"
    assert {name: request[name] for name in made} == made
    assert request.keys() - made.keys() == {"LocalSecondaryIndexes", "TableClass", "Tags"}

"""`size` prints what a replica needs and costs."""

from __future__ import annotations

import json

from kcl_processor.cli.size import row
from kcl_processor.operate.sizing import Line
from tests.cli.ask import Ask


def test_shards_are_counted_unless_given(ask: Ask) -> None:
    """A table where a person reads, JSON where it is asked for."""
    code, said, _ = ask("size")
    assert code == 0 and "1 x 1 for 1 shards + 1 that fork them + 1 Java" in said
    assert json.loads(ask("size", "--shards", "129", "--json").out)[1]["value"] == 2


def test_what_a_proof_costs_is_told_where_the_tables_size_is_known(ask: Ask) -> None:
    """Asked of the table, or given; who gives the shards has no table to be asked."""
    assert "a round of verify" in ask("size").out
    assert "a round of verify" not in ask("size", "--shards", "1").out
    said = ask("size", "--shards", "1", "--table-gb", "100", "--max-rcu", "100").out
    assert "36.4 h" in said and "$64.80" in said


def test_dollars_have_cents_and_counts_have_none() -> None:
    """Each with its unit and its formula."""
    total = Line("total a month", 1234.5, "$", "the sum")
    assert row(total) == {"what": total.what, "value": "$1,234.50", "formula": "the sum"}
    assert row(Line("processes", 9, "", "8 shards + 1 Java"))["value"] == "9"
    assert row(Line("memory a worker", 1234.5, "MB", "…"))["value"] == "1,234 MB"

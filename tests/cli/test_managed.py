"""What `copy --managed` is asked for with."""

from __future__ import annotations

import pytest

from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--managed"], "--managed exports to a bucket of yours"),
        (["--bucket", "b"], "--bucket is where --managed exports to"),
        (["--managed", "--bucket", "b", "--part", "0/2"], "copies the whole table"),
        (["--managed", "--bucket", "b", "--from-export", "s3://b/c"], "from an export of its own"),
    ],
)
def test_what_goes_together_with_no_copy_is_refused(ask: Ask, words: list[str], told: str) -> None:
    """Before anything is asked of AWS."""
    code, out, err = ask("copy", *words)
    assert (code, out) == (ExitCode.CONFIG, "") and told in err


def test_recovery_is_not_turned_on_where_nobody_can_be_asked(ask: Ask) -> None:
    """It costs: --yes says it."""
    code, _, err = ask("copy", "--managed", "--bucket", "b")
    assert code == ExitCode.CONFIG
    assert "Point-in-time recovery of the source is off" in err and "--yes" in err

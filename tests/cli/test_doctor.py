"""`doctor` reads well."""

from __future__ import annotations

from kcl_processor.cli.doctor import lines, summary
from kcl_processor.operate.check import Check


def test_a_check_reads_as_two_hints_below_its_text() -> None:
    """Failures stand out; reasons come only where there are some."""
    assert lines(Check("source", "ok", "fine")) == ["  ok    fine"]
    assert lines(Check("source", "fail", "broken", "because", "mend it")) == [
        "  FAIL  broken",
        "        why  because",
        "        try  mend it",
    ]
    good, bad = Check("a", "ok", ""), Check("a", "fail", "")
    assert summary([good, good]) == "all 2 checks passed"
    assert summary([good, bad, Check("a", "warn", "")]) == "1 failure, 1 warning"

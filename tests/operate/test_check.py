"""A check says why and what to try, unless all is well."""

from __future__ import annotations

from kcl_processor.operate.check import Check, fail, ok, warn


def test_reasons_are_for_what_is_not_well() -> None:
    """The same words may be given to any of the three."""
    words = ("text", "why", "hint")
    assert ok(*words) == Check("", "ok", "text")
    assert [warn(*words), fail(*words)] == [Check("", kind, *words) for kind in ("warn", "fail")]

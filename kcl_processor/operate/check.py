"""What an examination of a task came to, check by check."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """One check's result; ``why`` and ``hint`` are empty when all is well."""

    group: str
    result: str
    text: str
    why: str = ""
    hint: str = ""


def ok(text: str, _why: str = "", _hint: str = "") -> Check:
    """All is well; reasons are dropped."""
    return Check("", OK, text)


def warn(text: str, why: str, hint: str) -> Check:
    """The task can run, but not as well as it might."""
    return Check("", WARN, text, why, hint)


def fail(text: str, why: str, hint: str) -> Check:
    """The task cannot run, or makes no progress."""
    return Check("", FAIL, text, why, hint)

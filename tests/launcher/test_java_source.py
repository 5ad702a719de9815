"""What the launcher's Java must hold as well as the Python: read from its source, and compared."""

from __future__ import annotations

import re

import pytest

from kcl_processor.aws import codes
from kcl_processor.fleet.stream import RETENTION
from kcl_processor.launcher.jars import LAUNCHER

JAVA = LAUNCHER / "src/io/github/kclprocessor/launcher"
_SECONDS = {"Seconds": 1, "Minutes": 60, "Hours": 3600}


def source(java_class: str) -> str:
    return (JAVA / f"{java_class}.java").read_text(encoding="utf-8")


def strings(java_class: str, constant: str) -> set[str]:
    """The strings of a ``Set.of(…)``."""
    (listed,) = re.findall(rf"\b{constant} = Set\.of\(([^)]*)\);", source(java_class))
    return set(re.findall(r'"([^"]*)"', listed))


def seconds(java_class: str, constant: str) -> int:
    """The seconds of a ``Duration``."""
    pattern = rf"\b{constant} = Duration\.of(Seconds|Minutes|Hours)\((\d+)\)"
    ((unit, count),) = re.findall(pattern, source(java_class))
    return _SECONDS[unit] * int(count)


@pytest.mark.parametrize("name", ["DENIED", "RENEW"])
def test_both_languages_have_the_same_error_codes(name: str) -> None:
    """A refusal means the same, whether the source's reader meets it or the destination's writer."""
    assert strings("ErrorCodes", name) == getattr(codes, name)


def test_both_languages_wait_as_long_for_credentials() -> None:
    """Whoever renews them has as much time for the source as for the destination."""
    assert seconds("ErrorCodes", "RENEWAL") == codes.RENEWAL_SECONDS


def test_both_languages_know_how_long_a_stream_keeps_a_change() -> None:
    """A gap's end is reckoned by it in Java, every warning in Python."""
    assert seconds("Gap", "KEPT") == RETENTION

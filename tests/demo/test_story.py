"""The demo's figures."""

from __future__ import annotations

import pytest

from kcl_processor.demo.story import Figures, set_apart


def test_a_percentile_needs_two_latencies() -> None:
    """One probe says nothing about the others."""
    assert Figures(latencies=[0.3]).latency(50) is None
    hundred = Figures(latencies=[n / 100 for n in range(101)])
    assert hundred.latency(50) == pytest.approx(0.50)
    assert hundred.latency(99) == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("differences", "exit_code", "equal"),
    [(0, 0, True), (1, 0, False), (0, 1, False), (None, 0, False), (0, None, False)],
)
def test_tables_are_equal_only_if_that_was_seen(
    differences: int | None, exit_code: int | None, *, equal: bool
) -> None:
    """Compared, without a difference, after a graceful stop."""
    assert Figures(differences=differences, exit_code=exit_code).equal() is equal


def test_a_demo_has_nothing_of_its_owners_settings() -> None:
    """A proxy knows no 127.0.0.1 of ours, and a profile or an endpoint would lead to another."""
    environment = {"PATH": "/bin", "HTTP_PROXY": "http://proxy:3128", "AWS_PROFILE": "work"}
    set_apart(environment)
    assert environment["PATH"] == "/bin" and "AWS_PROFILE" not in environment
    assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1"

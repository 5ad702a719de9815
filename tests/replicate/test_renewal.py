"""How long refused credentials are waited for."""

from __future__ import annotations

from kcl_processor.aws.codes import RENEWAL_SECONDS
from kcl_processor.replicate.renewal import Renewal
from kcl_processor.replicate.verdict import Verdict
from tests.fakes import HandClock


def test_refusals_in_a_row_are_overdue_in_the_end() -> None:
    """Whoever renews them gets the whole time, and no more."""
    clock = HandClock()
    renewal = Renewal(clock)
    for _ in range(3):
        renewal.note(Verdict.RENEW_CREDENTIALS)
        assert not renewal.is_overdue()
        clock.turn(RENEWAL_SECONDS / 3)
    assert renewal.seconds() == RENEWAL_SECONDS and not renewal.is_overdue()
    clock.turn(1)
    assert renewal.is_overdue()


def test_an_outage_before_the_first_refusal_does_not_count() -> None:
    """Keys that expire while the network is away get their time when it is back."""
    clock = HandClock()
    renewal = Renewal(clock)
    renewal.note(Verdict.RENEW_CREDENTIALS)
    for _ in range(10):
        renewal.note(Verdict.RETRY)
        clock.turn(RENEWAL_SECONDS)
    assert renewal.seconds() == 0
    renewal.note(Verdict.RENEW_CREDENTIALS)
    assert not renewal.is_overdue()

"""Refused credentials are waited for by a start; and by what runs for days its tables, too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kcl_processor.aws.clients import CredentialsRefused, ServiceTrouble
from kcl_processor.errors import PermissionDenied
from kcl_processor.launch.patience import once_passed, once_renewed
from tests.fakes import HandClock

TROUBLE = ServiceTrouble("The table cannot be reached.", "check the network")
REFUSED = CredentialsRefused("The credentials are refused.", "renew them")


def failing(times: int, error: Exception = REFUSED) -> Callable[[], str]:
    """A step that fails so often before it is done."""
    left = [error] * times

    def step() -> str:
        if left:
            raise left.pop()
        return "started"

    return step


def test_a_start_waits_until_the_credentials_are_renewed() -> None:
    """It says so once."""
    clock, told = HandClock(), list[str]()
    assert once_renewed(failing(3), clock, clock.turn, told.append) == "started"
    assert len(told) == 1 and told[0].startswith("The credentials are refused.")
    assert clock.seconds == 1015.0


def test_credentials_that_nobody_renews() -> None:
    """After five minutes the refusal is the start's."""
    clock = HandClock()
    with pytest.raises(CredentialsRefused):
        once_renewed(failing(1000), clock, clock.turn, lambda _: None)
    assert clock.seconds == 1300.0


def test_a_denied_action_is_not_waited_for() -> None:
    """Good credentials that may not do this are good tomorrow, too, and may not."""
    clock = HandClock()
    denied = PermissionDenied("denied", "allow it")
    with pytest.raises(PermissionDenied):
        once_renewed(failing(1, denied), clock, clock.turn, lambda _: None)
    assert clock.seconds == 1000.0


def test_a_table_that_is_away_for_an_hour_ends_nothing_that_runs_for_days() -> None:
    """It says so once; a start leaves that to its supervisor."""
    clock, told = HandClock(), list[str]()
    assert once_passed(failing(720, TROUBLE), clock, clock.turn, told.append) == "started"
    assert told == [f"{TROUBLE.message} It is waited for, and nothing is written meanwhile."]
    assert clock.seconds == 1000.0 + 3600.0
    with pytest.raises(ServiceTrouble):
        once_renewed(failing(1, TROUBLE), clock, clock.turn, told.append)
    with pytest.raises(CredentialsRefused):
        once_passed(failing(1000), clock, clock.turn, told.append)

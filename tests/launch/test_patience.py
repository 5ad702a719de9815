"""Refused credentials are waited for, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kcl_processor.aws.clients import CredentialsRefused
from kcl_processor.errors import PermissionDenied
from kcl_processor.launch.patience import once_renewed
from tests.fakes import HandClock

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

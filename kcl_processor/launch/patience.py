"""A start that waits for credentials to be renewed, as a daemon that runs does; and what runs for
days, and waits for its tables, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kcl_processor.aws.clients import CredentialsRefused, ServiceTrouble
from kcl_processor.aws.codes import RENEWAL_SECONDS
from kcl_processor.clock import Clock

# Seconds between two attempts.
_PAUSE = 5.0

T = TypeVar("T")


def once_renewed(
    step: Callable[[], T], clock: Clock, wait: Callable[[float], None], tell: Callable[[str], None]
) -> T:
    """Take a step of a start, again and again while the credentials are refused.

    A supervisor leaves a daemon stopped that ended with the code for refused credentials. One that
    it starts again while they are being renewed would stay down.

    Args:
        step: may be taken again, however far it came.
        tell: takes one line, when the waiting begins.

    Raises:
        CredentialsRefused: they still are, after the time that a renewal may take.
    """
    refused_at: float | None = None
    while True:
        try:
            return step()
        except CredentialsRefused as error:
            if refused_at is None:
                refused_at = clock.elapsed()
                tell(
                    f"{error.message} They may be being renewed: {RENEWAL_SECONDS:.0f} s for that."
                )
            if clock.elapsed() - refused_at >= RENEWAL_SECONDS:
                raise
        wait(_PAUSE)


def once_passed(
    step: Callable[[], T], clock: Clock, wait: Callable[[float], None], tell: Callable[[str], None]
) -> T:
    """Take a step of what is at work beside a daemon, as :func:`once_renewed` does, and for as long
    as a service is in trouble: the daemon waits that out, too, and nobody starts this again.

    Args:
        step: may be taken again, however far it came, also where only its answer was lost.
        tell: takes one line, when a waiting begins.
    """
    told = False
    while True:
        try:
            return once_renewed(step, clock, wait, tell)
        except ServiceTrouble as trouble:
            if not told:
                told = True
                tell(f"{trouble.message} It is waited for, and nothing is written meanwhile.")
        wait(_PAUSE)

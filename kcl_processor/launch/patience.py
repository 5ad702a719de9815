"""A start that waits for credentials to be renewed, as a daemon that runs does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kcl_processor.aws.clients import CredentialsRefused
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

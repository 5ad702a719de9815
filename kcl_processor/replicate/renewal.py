"""How long refused credentials are waited for."""

from __future__ import annotations

from kcl_processor.aws.codes import RENEWAL_SECONDS
from kcl_processor.clock import Clock
from kcl_processor.replicate.verdict import Verdict


class Renewal:
    """Refusals in a row, and since when; what failed before for another reason does not count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None

    def note(self, verdict: Verdict) -> None:
        """One attempt was judged."""
        if verdict is not Verdict.RENEW_CREDENTIALS:
            self._since = None
        elif self._since is None:
            self._since = self._clock.elapsed()

    def seconds(self) -> float:
        """For how long the credentials have been refused; 0 when the last attempt was not."""
        return 0.0 if self._since is None else self._clock.elapsed() - self._since

    def is_overdue(self) -> bool:
        """Whether whoever renews them has had the time that is given."""
        return self.seconds() > RENEWAL_SECONDS

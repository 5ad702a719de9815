"""Signatures of requests that are put together by hand, and what a refused one teaches.

AWS refuses a signature whose time is five minutes off its own. botocore signs with this host's
clock and stays refused; the Java SDK corrects itself by the answer's ``Date`` header, and so do we.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest

from kcl_processor.aws.codes import RENEW
from kcl_processor.aws.keys import Keys
from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)

# Less than that is the time that the answer took, and no reason for a refusal.
_SKEW = timedelta(minutes=1)


class Signature:
    """Signs for one service in one region. Safe to use from many threads at once.

    Args:
        service: its name in a credential scope, such as ``dynamodb``.
        clock: this host's, which may be wrong.
    """

    def __init__(self, service: str, region: str, keys: Keys, clock: Clock) -> None:
        self._clock = clock
        self._service = service
        self._region = region
        self._keys = keys
        self._ahead = timedelta()

    def sign(self, request: AWSRequest) -> Any:
        """The request with its signature, ready to be sent.

        Raises:
            NoKeys: there are no credentials.
        """
        frozen = self._keys.get_frozen_credentials()
        moment = self._now() + self._ahead
        _Moment(frozen, self._service, self._region, moment).add_auth(request)
        return request.prepare()

    def answered(self, code: str, headers: Mapping[str, str]) -> None:
        """Learn from an answer with an error: other keys, or another time, may be accepted."""
        if code in RENEW:
            self._keys.refused()
            self._set_clock(headers.get("Date"))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _set_clock(self, date: str | None) -> None:
        try:
            ahead = parsedate_to_datetime(date or "") - self._now()
        except (ValueError, TypeError):
            return
        if abs(ahead - self._ahead) < _SKEW:
            return
        self._ahead = ahead
        _log.warning(
            "the clock of this host differs from that of AWS by %.0f s: requests are signed with "
            "the time of AWS",
            abs(ahead.total_seconds()),
        )


class _Moment(SigV4Auth):  # type: ignore[misc]
    """Signs with a time that it is given."""

    def __init__(self, frozen: Any, service: str, region: str, moment: datetime) -> None:
        super().__init__(frozen, service, region)
        self._moment = moment

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._moment.strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)

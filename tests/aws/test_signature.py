"""Signatures that are refused once are right the next time, where that is ours to mend."""

from __future__ import annotations

import datetime as dt
import logging
import re
from email.utils import format_datetime

import pytest

from tests.edges import Reply, Request, serving
from tests.endpoints import endpoint_at

REFUSED = {"__type": "com.amazon#InvalidSignatureException", "message": "Signature expired"}


def signed_at(request: Request) -> dt.datetime:
    stamp = dt.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    return stamp.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_wrong_is_corrected_by_the_answers_date(
    hours: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The first call is refused, all others are signed with the service's time; it is told once."""
    ahead = dt.timedelta(hours=hours)

    def answer(request: Request) -> Reply:
        now = dt.datetime.now(dt.UTC) + ahead
        if abs(signed_at(request) - now) > dt.timedelta(minutes=5):
            return Reply.of(REFUSED, 400, Date=format_datetime(now, usegmt=True))
        return Reply.of({})

    with serving(answer) as server, caplog.at_level(logging.WARNING):
        endpoint = endpoint_at(server.url)
        assert endpoint.call("GetItem", b"{}").error == "InvalidSignatureException"
        assert [endpoint.call("GetItem", b"{}").error for _ in range(3)] == ["", "", ""]
    (told,) = caplog.messages
    (seconds,) = re.findall(r"\d+", told)
    assert "clock" in told and abs(int(seconds) - 3 * 3600) <= 2


@pytest.mark.parametrize("date", [None, "yesterday", ""])
def test_a_refusal_without_a_usable_date_teaches_nothing(
    date: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The clock stays this host's, and nothing is said of it."""
    headers = {} if date is None else {"Date": date}
    with serving(lambda _request: Reply.of(REFUSED, 400, **headers)) as server:
        endpoint = endpoint_at(server.url)
        for _ in range(2):
            assert endpoint.call("GetItem", b"{}").error == "InvalidSignatureException"
        now = dt.datetime.now(dt.UTC)
        assert all(
            abs(signed_at(request) - now) < dt.timedelta(seconds=30) for request in server.requests
        )
    assert not caplog.messages

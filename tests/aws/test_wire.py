"""One signed call: what cannot be signed is an answer, too."""

from __future__ import annotations

import datetime as dt
from typing import Any, NoReturn

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError

from kcl_processor.aws.codes import DENIED, NO_CREDENTIALS, RENEW
from kcl_processor.aws.keys import Keys
from kcl_processor.aws.wire import Answer, Endpoint

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def call_with(renewal: Any) -> Answer:
    """A call whose credentials have expired; ``renewal`` is asked for new ones."""
    expired = RefreshableCredentials("key", "secret", "token", LONG_AGO, renewal, "assume-role")
    keys = Keys("test", lambda: expired)
    return Endpoint("us-east-1", "http://127.0.0.1:1", keys, connections=1).call("GetItem", b"{}")


@pytest.mark.parametrize(
    ("code", "table"),
    [("ExpiredToken", RENEW), ("SignatureDoesNotMatch", RENEW), ("AccessDenied", DENIED)],
)
def test_a_role_that_sts_refuses_is_an_answer(code: str, table: frozenset[str]) -> None:
    """The code is STS's own, so it is waited for or stopped at like a refusal of the table's."""

    def refused() -> NoReturn:
        error = {"Error": {"Code": code, "Message": "said STS"}}
        raise ClientError({**error, "ResponseMetadata": {"HTTPStatusCode": 403}}, "AssumeRole")

    answer = call_with(refused)
    assert (answer.status, answer.error) == (403, code)
    assert "AssumeRole" in answer.message and "said STS" in answer.message
    assert answer.error in table


def test_credentials_that_come_expired_are_none() -> None:
    """Whoever renews them is late: that passes, or does not, like having none."""
    stale = {
        "access_key": "key",
        "secret_key": "secret",
        "token": "token",
        "expiry_time": LONG_AGO.isoformat(),
    }
    assert call_with(lambda: stale).error == NO_CREDENTIALS

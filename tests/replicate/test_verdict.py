"""What a failed write means."""

from __future__ import annotations

import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import ExitCode
from kcl_processor.replicate.verdict import Verdict, credentials_error, judge, stopping_error

SCHEMA = "The provided key element does not match the schema"


def failed(status: int, error: str, message: str = "") -> Answer:
    """An attempt that failed."""
    return Answer(status=status, error=error, message=message)


@pytest.mark.parametrize(
    ("status", "error", "message", "verdict"),
    [
        (200, "", "", Verdict.APPLIED),
        (400, "ProvisionedThroughputExceededException", "", Verdict.THROTTLED),
        (429, "Whatever", "", Verdict.THROTTLED),
        (500, "InternalServerError", "", Verdict.RETRY),
        (0, "ConnectTimeoutError", "", Verdict.RETRY),
        (400, "ReplicatedWriteConflictException", "", Verdict.RETRY),
        (400, "ExpiredTokenException", "", Verdict.RENEW_CREDENTIALS),
        (400, "ValidationException", "Item size has exceeded", Verdict.REFUSED),
        (413, "HTTP 413", "", Verdict.REFUSED),
        (400, "ValidationException", SCHEMA, Verdict.STOP),
        (400, "AccessDeniedException", "", Verdict.STOP),
        (400, "ResourceNotFoundException", "", Verdict.STOP),
        (400, "NeverHeardOf", "", Verdict.STOP),
    ],
)
def test_a_failure_has_one_meaning(status: int, error: str, message: str, verdict: Verdict) -> None:
    """Wait, try again, ask for new credentials, set one item aside, or stop: unknown ones stop."""
    assert judge(failed(status, error, message)) is verdict


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("One of the required keys was not given a value", Verdict.STOP),
        ("The number of conditions on the keys is invalid", Verdict.STOP),
        ("One or more parameter values were invalid: Missing the key n in the item", Verdict.STOP),
        ("One or more parameter values were invalid: Type mismatch for key", Verdict.STOP),
        ("One or more parameter values were invalid: Type mismatch for Index Key", Verdict.REFUSED),
        ("Attempting to store more than 38 significant digits in a Number", Verdict.REFUSED),
    ],
)
def test_other_stores_words_for_another_key_schema_are_known(
    message: str, verdict: Verdict
) -> None:
    """A table with other keys refuses every item: none of them is poison."""
    assert judge(failed(400, "ValidationException", message)) is verdict


@pytest.mark.parametrize(
    ("error", "message", "code", "says"),
    [
        ("AccessDeniedException", "", ExitCode.PERMISSION, "dynamodb:BatchWriteItem .*replica"),
        ("ResourceNotFoundException", "", ExitCode.DESTINATION, "replica does not exist"),
        ("ValidationException", SCHEMA, ExitCode.DESTINATION, "keys of .*replica"),
        ("NeverHeardOf", "", ExitCode.DESTINATION, "replica .*NeverHeardOf"),
    ],
)
def test_what_stops_is_told_by_name(error: str, message: str, code: ExitCode, says: str) -> None:
    """The table and the service's words, with the exit code of whose fault it is."""
    raised = stopping_error(failed(400, error, message), "replica")
    assert raised.exit_code == code
    # Rules may lay items to other keys than the source's.
    assert "source's" not in raised.message + raised.hint
    assert "like the source" not in raised.hint
    with pytest.raises(type(raised), match=says):
        raise raised


def test_credentials_that_stay_refused_name_the_time() -> None:
    """A clock that is wrong refuses them, too."""
    raised = credentials_error(failed(400, "RequestExpired"), "replica", 301.4)
    assert raised.exit_code == ExitCode.PERMISSION
    assert "for 301 s" in raised.message and "clock" in raised.hint

"""What a call raises, in an operator's words."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ClientError, SSLError

from kcl_processor.aws.clients import calling
from kcl_processor.aws.codes import DENIED, RENEW, THROTTLED
from kcl_processor.errors import ExitCode, OperatorError, SourceError


def refusal(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "no"}}
    return ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": status}}, "Scan")


def raised(failure: Exception) -> OperatorError:
    """What the operator gets to see of a failure."""
    with (
        pytest.raises(OperatorError) as seen,
        calling("dynamodb:Scan", "table t", SourceError, "look"),
    ):
        raise failure
    return seen.value


@pytest.mark.parametrize("code", sorted(DENIED))
def test_a_denied_action_is_named(code: str) -> None:
    """The hint is to allow it."""
    error = raised(refusal(code))
    assert error.exit_code == ExitCode.PERMISSION
    assert "dynamodb:Scan on table t is denied" in error.message
    assert error.hint.startswith("allow dynamodb:Scan")


@pytest.mark.parametrize("failure", [refusal(code) for code in sorted(RENEW)], ids=str)
def test_refused_credentials_are_no_denied_action(failure: Exception) -> None:
    """Nothing needs to be allowed: the credentials are what to look at."""
    error = raised(failure)
    assert error.exit_code == ExitCode.PERMISSION
    assert "denied" not in error.message and "allow" not in error.hint


@pytest.mark.parametrize(
    "failure", [*map(refusal, sorted(THROTTLED)), refusal("InternalServerError", 500)], ids=str
)
def test_what_passes_is_worth_a_restart(failure: Exception) -> None:
    """Throttling and trouble of the service say nothing about the source."""
    assert raised(failure).exit_code == ExitCode.CRASH


def test_an_unknown_certificate_leads_to_the_bundle() -> None:
    """It is neither the source nor the network that needs to be looked at."""
    error = raised(SSLError(endpoint_url="https://x", error="self-signed certificate"))
    assert error.exit_code == ExitCode.CRASH and "AWS_CA_BUNDLE" in error.hint


@pytest.mark.parametrize("failure", [refusal("ValidationException"), BotoCoreError()], ids=str)
def test_anything_else_is_the_callers_error(failure: Exception) -> None:
    """With the caller's hint."""
    error = raised(failure)
    assert (error.exit_code, error.hint) == (ExitCode.SOURCE, "look")

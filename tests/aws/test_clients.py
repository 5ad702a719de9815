"""boto3 clients for the sides of a task, and their failures in an operator's words."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ClientError, SSLError

from kcl_processor.aws import clients
from kcl_processor.aws.clients import calling
from kcl_processor.aws.codes import DENIED, RENEW, THROTTLED
from kcl_processor.config.task import Side, Source
from kcl_processor.errors import ConfigError, ExitCode, OperatorError, SourceError
from tests.edges import Reply, serving


def test_a_table_endpoint_serves_the_stream_unless_that_has_its_own() -> None:
    """As DynamoDB Local does, and as the original library takes it."""
    both = Source("us-east-1", "t", "http://127.0.0.1:8000")
    apart = Source("us-east-1", "t", "http://127.0.0.1:8000", streams_endpoint="http://127.0.0.1:9")
    neither = Source("us-east-1", "t")
    urls = [clients.streams(source).meta.endpoint_url for source in (both, apart, neither)]
    assert urls[:2] == ["http://127.0.0.1:8000", "http://127.0.0.1:9"]
    assert urls[2] == "https://streams.dynamodb.us-east-1.amazonaws.com"


def test_a_client_is_made_once() -> None:
    """Each costs 10 MB and 50 ms; another region is another client."""
    side = Side("us-east-1", "t")
    assert clients.tables(side) is clients.tables(Side("us-east-1", "other table"))
    assert clients.tables(side) is not clients.tables(Side("eu-west-1", "t"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "weird"),
        ("AWS_DEFAULTS_MODE", "weird"),
        ("AWS_ENDPOINT_URL", "junk"),
    ],
)
def test_a_setting_that_no_client_takes_is_a_matter_of_configuration(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore has three classes for these, and one of them is no class of its own."""
    monkeypatch.setenv(name, value)
    clients.forget()
    with pytest.raises(ConfigError, match="cannot be made") as seen:
        clients.tables(Side("us-east-1", "t"))
    assert value in seen.value.message and "AWS setting" in seen.value.hint


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


def test_an_operation_that_another_store_lacks_is_called_so() -> None:
    """Its answer has no words of its own."""
    error = raised(refusal("UnknownOperationException"))
    assert error.exit_code == ExitCode.SOURCE and "has no such operation" in error.message
    assert "a store that has it" in error.hint


def test_an_answer_that_is_not_the_services_is_trouble_that_passes() -> None:
    """A portal's empty object with status 200: a supervisor starts again, and nothing is a bug."""
    with serving(lambda _request: Reply.of({})) as portal:
        client = clients.tables(Side("us-east-1", "t", portal.url))
        with pytest.raises(OperatorError, match="holds no Table") as seen:
            clients.described(client, "t", SourceError, "look")
    assert seen.value.exit_code == ExitCode.CRASH

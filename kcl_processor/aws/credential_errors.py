"""Why there are no credentials, in an operator's words.

What a provider raises says what it could not do, and not what to type; and some of it has no class
of botocore's, such as a program that is not there or an answer that is no JSON.
"""

from __future__ import annotations

from botocore.exceptions import (
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidConfigError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)

from kcl_processor.aws.codes import DENIED, NO_CREDENTIALS, RENEW, code_of, passes, said, status_of
from kcl_processor.errors import ConfigError, ExitCode, OperatorError

WHO_HINT = "aws sts get-caller-identity, until it answers"
_LOG_IN = "aws sso login (or aws login), with the profile of these credentials"
_MALFORMED = (ConfigParseError, ConfigNotFound, InvalidConfigError, UnknownCredentialError)
_FILES = "see the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name"


class NoKeys(OperatorError):
    """There is nothing to sign with.

    Attributes:
        status, code: the answer of the service that was asked for credentials, for whoever judges
            answers; status 0 when none came.
    """

    exit_code = ExitCode.PERMISSION

    def __init__(
        self, message: str, hint: str, status: int = 0, code: str = NO_CREDENTIALS
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


class BadConfiguration(NoKeys):
    """The AWS configuration names something that is not there, or cannot be read."""

    exit_code = ExitCode.CONFIG


class Unavailable(NoKeys):
    """What gives credentials cannot be reached, or is in trouble: that passes."""

    exit_code = ExitCode.CRASH


def in_words(error: Exception, whose: str) -> NoKeys:
    """The error that an operator reads.

    Args:
        whose: where the credentials were looked for, or the role they are of.
    """
    match error:
        case NoKeys():
            return error
        case ConfigError():
            return BadConfiguration(error.message, error.hint)
        case ProfileNotFound():
            return BadConfiguration(
                f"The AWS profile {error.kwargs['profile']!r} is in none of the configuration "
                "files.",
                "aws configure list-profiles, and one of them as AWS_PROFILE or the task's profile",
            )
        case _ if isinstance(error, _MALFORMED):
            return BadConfiguration(
                f"The AWS configuration cannot be used: {_said(error)}.", _FILES
            )
        case ClientError():
            return _answered(error, whose)
        case ConnectionError() | HTTPClientError():
            return Unavailable(
                f"The credentials of {whose} cannot be fetched: {_said(error)}.",
                "check the network and the proxy, then try again",
                code=type(error).__name__,
            )
        case _:
            return _none(error, whose)


def _none(error: Exception, whose: str) -> NoKeys:
    """A provider has nothing to give."""
    match error:
        case NoCredentialsError():
            return NoKeys(
                "No AWS credentials were found in the environment, the shared files or the "
                "instance.",
                WHO_HINT,
            )
        case PartialCredentialsError():
            return NoKeys(
                f"The AWS credentials of {error.kwargs['provider']} are half: "
                f"{error.kwargs['cred_var']} is missing.",
                "set both halves, or neither",
            )
        case SSOError() | TokenRetrievalError() | LoginError():
            return NoKeys(f"The login of {whose} is over: {_said(error)}.", _LOG_IN)
        case CredentialRetrievalError():
            words = f"{error.kwargs['provider']}: {_said(error.kwargs['error_msg'])}"
        case _:
            words = f"{type(error).__name__}: {_said(error)}"
    return NoKeys(f"The credentials of {whose} cannot be had: {words}.", WHO_HINT)


def _answered(error: ClientError, whose: str) -> NoKeys:
    """STS, or the service of a login, said no."""
    code = code_of(error.response)
    words = f"{error.operation_name}: {said(error.response)}"
    status = status_of(error.response)
    if passes(error.response):
        return Unavailable(
            f"The credentials of {whose} cannot be fetched ({words}).",
            "wait, then try again",
            status,
            code,
        )
    known = code in DENIED or code in RENEW
    return NoKeys(
        f"The credentials of {whose} are refused ({words}).",
        f"allow {error.operation_name}, or check whose credentials ask: "
        "aws sts get-caller-identity",
        status,
        code if known else NO_CREDENTIALS,
    )


def _said(error: object) -> str:
    """Without the full stop, which the sentence around it has."""
    return str(error).strip().rstrip(".")

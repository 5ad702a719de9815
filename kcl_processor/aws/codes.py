"""What the error codes of AWS ask for: to wait, a person, or new credentials.

From the DynamoDB API reference ("Common Errors") and developer guide ("Error handling with
DynamoDB"); CloudWatch, Lambda and STS have some words of their own. The launcher's ``ErrorCodes``
holds ``DENIED`` and ``RENEW``, too; a test holds them equal.
"""

from __future__ import annotations

from typing import Any

# Too many calls at the moment.
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        # DynamoDB Streams' throttling, and a table's operations under way.
        "LimitExceededException",
        # CloudWatch and STS.
        "Throttling",
        # Lambda.
        "TooManyRequestsException",
    }
)

# Good credentials that may not do this: waiting does not help.
DENIED = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "NotAuthorized",
        "OptInRequired",
        "RegionDisabledException",
    }
)

# The credentials themselves are refused. Whoever renews them may be about to: keys that have been
# made just now are unknown for some seconds, a file is read between its two keys, a token is older
# than it should be, a clock is being set.
RENEW = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
    }
)

# The service has no such operation: another implementation of DynamoDB, which lacks it.
UNKNOWN_OPERATION = "UnknownOperationException"

# What to type after an error that nobody here knows.
UNKNOWN_HINT = "look the error up in the DynamoDB API reference, mend its cause, then start again"

# A code of our own, for a call that was not made: there are no credentials, or what was held has
# expired and could not be renewed.
NO_CREDENTIALS = "NoCredentials"

# Another one: what allowed the call had run out before all of it was sent.
NOT_SENT = "NotSent"

# Seconds that refused credentials may take to be renewed by whoever renews them.
RENEWAL_SECONDS = 300.0


def code_of(response: dict[str, Any]) -> str:
    """The code of an error's answer, as botocore parses it (``ClientError.response``)."""
    return str(response.get("Error", {}).get("Code", ""))


def status_of(response: dict[str, Any]) -> int:
    """The HTTP status of an error's answer; 0 if it had none."""
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def passes(response: dict[str, Any]) -> bool:
    """Whether an error's answer asks for patience: the service is busy, or not well."""
    return status_of(response) >= 500 or code_of(response) in THROTTLED


def said(response: dict[str, Any]) -> str:
    """An error's code and message, for people."""
    return f"{code_of(response)}: {response.get('Error', {}).get('Message', '')}"

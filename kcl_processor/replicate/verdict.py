"""What a failed write means: wait and try again, ask for new credentials, set aside, or stop."""

from __future__ import annotations

from enum import Enum

from kcl_processor.aws.codes import DENIED, NO_CREDENTIALS, RENEW, THROTTLED, UNKNOWN_HINT
from kcl_processor.aws.wire import Answer
from kcl_processor.errors import DestinationError, OperatorError, PermissionDenied
from kcl_processor.replicate.destination import unprocessed


class Verdict(Enum):
    """What to do with the changes of one attempt."""

    APPLIED = "applied"
    THROTTLED = "throttled"
    RETRY = "retry"
    RENEW_CREDENTIALS = "renew credentials"
    REFUSED = "refused"
    STOP = "stop"


# What passes by itself, beside every answer of HTTP 500 and above.
_RETRY = {
    "ReplicatedWriteConflictException",
    "ResourceInUseException",
    "RequestTimeout",
    "UnreadableAnswer",
}
# What is wrong with the items, and not with the call.
_REFUSED = {
    "ValidationException",
    "SerializationException",
    "ItemCollectionSizeLimitExceededException",
}
# The service words this one as a ValidationException, but it is about the table, not the item. The
# words are AWS's and dynalite's, then DynamoDB Local's, then moto's; of an index it is "Index Key".
_SCHEMA = (
    "does not match the schema",
    "One of the required keys was not given a value",
    "The number of conditions on the keys is invalid",
    "Type mismatch for key",
    "Missing the key",
)


def judge(answer: Answer) -> Verdict:
    """Say what one attempt's answer means for its changes."""
    if not answer.error:
        return Verdict.THROTTLED if unprocessed(answer) else Verdict.APPLIED
    if answer.error in THROTTLED or answer.status == 429:
        return Verdict.THROTTLED
    if answer.error in RENEW or answer.error == NO_CREDENTIALS:
        return Verdict.RENEW_CREDENTIALS
    # A request of 25 large items can be too long as JSON where each item alone is not.
    if answer.error in _REFUSED or answer.status == 413:
        return Verdict.STOP if is_schema_mismatch(answer) else Verdict.REFUSED
    if answer.error in _RETRY or answer.status == 0 or answer.status >= 500:
        return Verdict.RETRY
    return Verdict.STOP


def is_schema_mismatch(answer: Answer) -> bool:
    """Whether the service says that the table's keys are not the source's keys."""
    return any(words in answer.message for words in _SCHEMA)


def stopping_error(answer: Answer, table: str) -> OperatorError:
    """The error that a answer judged ``STOP`` ends the process with."""
    said = f"{answer.error}: {answer.message}"
    if answer.error in DENIED:
        return PermissionDenied(
            f"dynamodb:BatchWriteItem on the destination table {table} is denied ({said}).",
            "allow dynamodb:BatchWriteItem on the table for these credentials, then start again",
        )
    if answer.error == "ResourceNotFoundException":
        return DestinationError(
            f"The destination table {table} does not exist ({said}).",
            "make the table as it was, copy the source again, then start",
        )
    if is_schema_mismatch(answer):
        return DestinationError(
            f"The keys of the destination table {table} are not those that it had ({said}).",
            "give it the keys that it had at the start, copy the source again, then start",
        )
    return DestinationError(
        f"The destination table {table} answered with an error that is not known to pass ({said}).",
        UNKNOWN_HINT,
    )


def credentials_error(answer: Answer, table: str, seconds: float) -> OperatorError:
    """The error for credentials that stayed unusable for a time."""
    return PermissionDenied(
        f"The credentials for the destination table {table} have been refused for "
        f"{seconds:.0f} s ({answer.error}: {answer.message}).",
        "renew the credentials, check this host's clock, then start again",
    )

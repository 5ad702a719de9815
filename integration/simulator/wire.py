"""Answers in the wire form of DynamoDB: JSON 1.0, error shapes, request ids."""

from __future__ import annotations

from typing import Any

import orjson

JSON = "application/x-amz-json-1.0"
_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
_CORAL = "com.amazon.coral."

# name: (HTTP status, namespace of __type, message). Names and statuses from the API references'
# "Errors" sections and "Common errors"; the namespaces are what the services put on the wire.
_ERRORS = {
    "AccessDeniedException": (
        400,
        _CORAL + "service#",
        "User: arn:aws:iam::000000000000:user/replica is not authorized to perform this action",
    ),
    "ExpiredIteratorException": (
        400,
        _DYNAMODB,
        "Iterator expired. The iterator was created at a time that is more than 15 minutes ago.",
    ),
    "ExpiredTokenException": (
        400,
        _CORAL + "service#",
        "The security token included in the request is expired",
    ),
    "InternalServerError": (500, _DYNAMODB, "Internal server error"),
    "LimitExceededException": (400, _DYNAMODB, "Too many operations for a given subscriber"),
    "ProvisionedThroughputExceededException": (
        400,
        _DYNAMODB,
        "The level of configured provisioned throughput for the table was exceeded. "
        "Consider increasing your provisioning level with the UpdateTable API.",
    ),
    "ResourceNotFoundException": (400, _DYNAMODB, "Requested resource not found"),
    "ServiceUnavailable": (503, _CORAL + "availability#", "The service is unavailable"),
    "ThrottlingException": (400, _CORAL + "availability#", "Rate of requests exceeds the limit"),
    "TrimmedDataAccessException": (
        400,
        _DYNAMODB,
        "The operation attempted to read past the oldest stream record in a shard.",
    ),
    "UnknownOperationException": (400, _CORAL + "service#", "Not an operation of the simulator"),
    "UnrecognizedClientException": (
        400,
        _CORAL + "service#",
        "The security token included in the request is invalid.",
    ),
    "ValidationException": (400, _CORAL + "validate#", "The request is not valid"),
}
ERROR_NAMES = frozenset(_ERRORS)


class ServiceError(Exception):
    """An error answer of the service: `name` is one of `ERROR_NAMES`."""

    def __init__(self, name: str, message: str | None = None) -> None:
        status, namespace, default = _ERRORS[name]
        super().__init__(f"{name}: {message or default}")
        self.status = status
        self.body = orjson.dumps({"__type": namespace + name, "message": message or default})


class PassedOnError(Exception):
    """An error answer of DynamoDB Local, to be handed on as it is."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body.decode())
        self.status = status
        self.body = body


def required(body: dict[str, Any], name: str) -> Any:
    """Return parameter `name`. Raises ServiceError (ValidationException) if it is missing."""
    if body.get(name) is None:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: "
            "Member must not be null",
        )
    return body[name]


def only(body: dict[str, Any], *names: str) -> None:
    """Refuse parameters that the simulator does not simulate, rather than ignore them.

    Raises ServiceError (ValidationException).
    """
    unknown = sorted(set(body) - set(names) - {"ReturnConsumedCapacity"})
    if unknown:
        raise ServiceError(
            "ValidationException", f"The simulator does not simulate {', '.join(unknown)}"
        )

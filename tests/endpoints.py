"""The product's wire to where a test serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.credentials import Credentials

from kcl_processor.aws.keys import Keys
from kcl_processor.aws.wire import Endpoint
from kcl_processor.clock import Clock, SystemClock


def found() -> Credentials:
    """Keys of nobody's."""
    return Credentials("key", "secret")


def endpoint_at(
    url: str,
    find: Callable[[], Credentials] = found,
    connections: int = 1,
    clock: Clock | None = None,
    **more: Any,
) -> Endpoint:
    """An endpoint that signs with the keys it finds; ``more`` is :class:`Endpoint`'s."""
    clock = clock or SystemClock()
    return Endpoint("us-east-1", url, Keys("test", find, clock), connections, clock, **more)

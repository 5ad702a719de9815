"""AWS settings that not every part obeys: what ``doctor`` passes with may then fail elsewhere.

The table of settings in aws's README says who obeys what; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

# Variable to what is uneven about it and what to do.
UNEVEN = MappingProxyType(
    {
        "AWS_SECURITY_TOKEN": (
            "the Java daemon does not read it, and signs without a token",
            "AWS_SESSION_TOKEN",
        ),
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": (
            "the Java daemon does not read it, and goes where AWS_ENDPOINT_URL says",
            "unset AWS_ENDPOINT_URL and its like in its place",
        ),
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": (
            "the record processors always use the region's endpoint",
            "disabled, or let both endpoints through the network",
        ),
    }
)


def uneven_settings(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Those that are set: the variable, what is uneven about it, what to do."""
    for name, (why, hint) in UNEVEN.items():
        if name in environ:
            yield name, why, hint

"""Whose host an endpoint is, and whose keys some keys are, as far as they look like it."""

from __future__ import annotations

import functools
import ipaddress
import re
from urllib.parse import urlsplit

from botocore.loaders import create_loader

# Of a person, and of a session of a role's (IAM user guide, "IAM identifiers", "Unique ids").
_AWS_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,}")


def is_aws_key(access_key: str) -> bool:
    """Whether it looks like one that AWS gave out; a key of another store is of another form."""
    return _AWS_KEY.fullmatch(access_key) is not None


def is_aws(url: str) -> bool:
    """Whether an endpoint is AWS's own, in any partition; a VPC's endpoints are."""
    return _host(url).endswith(_suffixes())


def is_in_clear(url: str) -> bool:
    """Whether what is sent there can be read on its way: plain http, to another host than this."""
    return urlsplit(url).scheme == "http" and not _is_here(_host(url))


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@functools.cache
def _suffixes() -> tuple[str, ...]:
    """What the names of AWS's endpoints end with: botocore has it from AWS, for all partitions."""
    partitions = create_loader().load_data("partitions")["partitions"]
    names = ("dnsSuffix", "dualStackDnsSuffix")
    return tuple({f".{partition['outputs'][name]}" for partition in partitions for name in names})

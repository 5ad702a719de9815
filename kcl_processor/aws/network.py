"""The way to an endpoint: through which proxy, and whose certificates are trusted.

botocore decides this where it makes a client's endpoint (``botocore.endpoint.EndpointCreator``
and ``Session.create_client``), so a bare ``URLLib3Session`` knows neither. Here is the same
decision for requests that are put together by hand, with botocore's own functions where it has
them, so that no two parts of the product ever take different ways.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from botocore.session import Session
from botocore.utils import get_environ_proxies

from kcl_processor.errors import ConfigError


@dataclass(frozen=True)
class Way:
    """How to reach one endpoint, in the words of ``URLLib3Session``.

    Attributes:
        proxies: the scheme of a URL to its proxy: ``HTTP_PROXY`` and ``HTTPS_PROXY``, in either
            case, unless ``NO_PROXY`` names the endpoint's host.
        verify: a file of certificates in PEM, or ``True`` for those of the package certifi.
    """

    proxies: dict[str, str]
    verify: str | bool


def way_to(url: str) -> Way:
    """How boto3 would reach ``url``.

    Raises:
        ConfigError: the bundle of certificates cannot be used; the setting is named.
    """
    return Way(get_environ_proxies(url), ca_bundle(Session()) or True)


def ca_bundle(session: Session) -> str | None:
    """The file of certificates that takes the place of certifi's, if one is named.

    ``AWS_CA_BUNDLE``, else the profile's ``ca_bundle``, else ``REQUESTS_CA_BUNDLE``.

    Raises:
        ConfigError: it cannot be used. A connection would only say so after the start.
    """
    named = session.get_config_variable("ca_bundle")
    setting = "AWS_CA_BUNDLE, or ca_bundle of the AWS profile,"
    if named is None:
        named, setting = os.environ.get("REQUESTS_CA_BUNDLE"), "REQUESTS_CA_BUNDLE"
    if named is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(named)
    except OSError as error:
        raise ConfigError(
            f"{setting} names a bundle of certificates that cannot be used, {named!r}: "
            f"{error.strerror or error}.",
            "a file with certificates in PEM, or unset it",
        ) from error
    return str(named)

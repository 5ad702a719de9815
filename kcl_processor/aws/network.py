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
from urllib.parse import urlsplit

from botocore.httpsession import ProxyConfiguration
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3.util import parse_url

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
        ConfigError: the proxy or the bundle of certificates cannot be used; the setting is named.
    """
    return Way(proxies_to(url), ca_bundle(Session(include_builtin_handlers=False)) or True)


def proxies_to(url: str) -> dict[str, str]:
    """The proxies that boto3 knows for ``url``.

    Raises:
        ConfigError: the one that it would take is no URL. Each call would fail for a reason that
            names no setting.
    """
    proxies: dict[str, str] = get_environ_proxies(url)
    try:
        proxy = ProxyConfiguration(proxies).proxy_url_for(url)
        is_usable = proxy is None or bool(parse_url(proxy).host)
    except ValueError:
        is_usable = False
    if not is_usable:
        small = f"{urlsplit(url).scheme}_proxy"
        name = small if small in os.environ else small.upper()
        # Without the value and the cause, which may hold a password.
        raise ConfigError(
            f"{name} does not name a proxy.", f"{name}=http://proxy:3128, or unset it"
        )
    return proxies


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

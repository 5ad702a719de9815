"""The exporter's page: one file that asks for nothing but this exporter's JSON."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib import resources

_FILE = "page.html"


@dataclass(frozen=True)
class Page:
    """The page as it is served.

    Attributes:
        policy: its Content-Security-Policy: nothing is run, shown or asked but what the file holds
            and the exporter serves. What a name from a table may smuggle in is not run.
    """

    html: bytes
    policy: str


def read_page() -> Page:
    """The page that is part of this package."""
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    policy = (
        "default-src 'none'",
        f"script-src {_digests(text, 'script')}",
        f"style-src {_digests(text, 'style')}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return Page(text.encode(), "; ".join(policy))


def _digests(text: str, element: str) -> str:
    """The contents of each such element, as CSP names them (Content Security Policy Level 3)."""
    contents = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
    digests = (hashlib.sha256(one.encode()).digest() for one in contents)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

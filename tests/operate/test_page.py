"""The exporter's page: one file, and a policy under which nothing else is run."""

from __future__ import annotations

import base64
import hashlib
import re

from kcl_processor.operate.page import read_page

PAGE = read_page()
TEXT = PAGE.html.decode()


def test_its_own_script_and_style_are_allowed_and_no_others() -> None:
    """By their digests, so that not even markup from a table's name would be run."""
    policy = dict(directive.split(" ", 1) for directive in PAGE.policy.split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == "'none'" and policy["connect-src"] == "'self'"
    for element in ("script", "style"):
        (content,) = re.findall(f"<{element}[^>]*>(.*?)</{element}>", TEXT, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[f"{element}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in PAGE.policy


def test_it_asks_nobody_else() -> None:
    """No address but those of this exporter; SVG's name is none that is asked."""
    addresses = set(re.findall(r"https?://[^\"' ]+", TEXT))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r'(?:href|src)="([^"]+)"', TEXT)) == {"/api/v1/tasks", "/metrics"}
    assert not re.findall(r"@import|url\(", TEXT)


def test_no_text_becomes_markup() -> None:
    """Names come from tables: the script makes elements, and never has a text parsed."""
    parsing = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b"
    assert not re.findall(parsing, TEXT)
    assert not re.findall(r"""\son\w+=["']""", TEXT), "the policy would refuse it"
    assert not re.findall(r"""\sstyle=["']""", TEXT), "the policy would refuse it"


def test_it_is_dark_and_light_and_fits_a_telephone() -> None:
    """What a browser needs to be told for that."""
    assert 'name="viewport" content="width=device-width' in TEXT
    assert "prefers-color-scheme: dark" in TEXT and "<html lang=" in TEXT

"""A home without AWS settings, whatever the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_PREFIXES = ("AWS_", "BOTO")
_NAMES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy", "requests_ca_bundle"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, with no setting in the environment but this one."""
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.lower() in _NAMES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # botocore looks for the home once, when it is imported.
    logins = str(tmp_path / ".aws/sso/cache")
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", logins)
    (tmp_path / ".aws").mkdir()
    return tmp_path

"""Credentials: the default chain, or a role assumed with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.aws.credentials import session
from kcl_processor.errors import PermissionDenied


def test_without_a_role_the_default_chain_serves() -> None:
    """What the environment holds is used as it is."""
    assert session("us-east-1").get_credentials().access_key == "test"


def test_a_role_is_assumed_with_them(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """STS gives a session of the role, in place of what the environment holds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    role = "arn:aws:iam::444455556666:role/writer"
    assumed = session("eu-west-1", role, external_id="x-1")
    frozen = assumed.get_credentials().get_frozen_credentials()
    assert frozen.access_key != "test" and frozen.token
    client = assumed.create_client("sts", region_name="eu-west-1", endpoint_url=moto_url)
    who = client.get_caller_identity()["Arn"]
    assert who == "arn:aws:sts::444455556666:assumed-role/writer/kcl-processor"


def test_no_credentials_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the first call, and with how to find out."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(PermissionDenied, match="No AWS credentials") as raised:
        session("us-east-1")
    assert "aws sts get-caller-identity" in raised.value.hint

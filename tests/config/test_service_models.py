"""The models of the services are read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from kcl_processor.aws.credentials import session
from kcl_processor.config.service_models import share_models
from tests.fakes import HandClock


def test_the_models_of_the_services_are_read_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For all clients of a process; what an operator has put elsewhere is read from there."""

    def loader(made: Session) -> Any:
        share_models(made)
        return made.get_component("data_loader")

    shared = loader(Session())
    assert loader(Session()) is shared
    assert session("us-east-1", HandClock()).get_component("data_loader") is shared
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    elsewhere = loader(Session())
    assert elsewhere is not shared and str(tmp_path) in elsewhere.search_paths

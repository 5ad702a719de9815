"""Building the launcher begins with what it is compiled against."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launcher.build import build
from kcl_processor.launcher.jars import LIB
from tests.kclpy import InstalledKclpy


def test_nothing_is_built_against_a_jar_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was built before stays."""
    before = sorted(LIB.iterdir())
    path = InstalledKclpy(tmp_path, monkeypatch).damage("kinesis")
    with pytest.raises(ConfigError, match=path.name):
        build(tmp_path / "no java")
    assert sorted(LIB.iterdir()) == before

"""The jars of a daemon are compared before its first start, and again when they are others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kcl_processor.config.paths import checked_jars
from kcl_processor.errors import ConfigError
from kcl_processor.launch import checked
from kcl_processor.launch.checked import check_once
from kcl_processor.launcher.jars import daemon_jars
from tests.kclpy import InstalledKclpy


@pytest.fixture
def kclpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstalledKclpy:
    """An amazon-kclpy of this test's own."""
    return InstalledKclpy(tmp_path / "installed", monkeypatch)


def test_a_jar_that_is_none_is_refused_by_its_name(kclpy: InstalledKclpy, tmp_path: Path) -> None:
    """At each start until it is mended; what to type brings the package's jars anew."""
    path = kclpy.damage("kinesis")
    for _ in range(2):
        with pytest.raises(ConfigError, match=path.name) as refused:
            check_once(tmp_path)
    assert refused.value.hint.endswith(f"amazon-kclpy=={kclpy.manifest.kclpy.version}")
    assert not checked_jars(tmp_path).exists()


def test_what_is_noted_is_not_read_again(kclpy: InstalledKclpy, tmp_path: Path) -> None:
    """A later start believes the note: had it read this jar, it would have refused it."""
    kclpy.damage("sts")
    checked_jars(tmp_path).write_bytes(checked._seen(daemon_jars()))
    check_once(tmp_path)


def test_a_jar_that_was_exchanged_since_is_refused(kclpy: InstalledKclpy, tmp_path: Path) -> None:
    """In its place, with as many bytes and the same dates."""
    content = kclpy.path("sts").read_bytes()
    path = kclpy.damage("sts", content)
    check_once(tmp_path)
    dates = path.stat()
    path.write_bytes(b"\0" + content[1:])
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    with pytest.raises(ConfigError, match=path.name):
        check_once(tmp_path)


def test_a_host_that_keeps_no_note_compares_each_time(
    kclpy: InstalledKclpy, tmp_path: Path
) -> None:
    """Where nothing can be written, a start is slower by a tenth of a second, and no less safe."""
    state = tmp_path / "a file"
    state.touch()
    check_once(state)
    kclpy.damage("sts")
    with pytest.raises(ConfigError):
        check_once(state)


def test_another_installation_is_compared_by_itself(
    kclpy: InstalledKclpy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them may share a state directory."""
    check_once(tmp_path)
    note = checked_jars(tmp_path).read_bytes()
    another = InstalledKclpy(tmp_path / "another", monkeypatch)
    check_once(tmp_path)
    assert checked_jars(tmp_path).read_bytes() != note
    another.damage("sts")
    with pytest.raises(ConfigError):
        check_once(tmp_path)
    assert kclpy.path("sts").exists()

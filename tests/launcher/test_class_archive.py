"""An archive of the daemon's classes is used where it fits, and asked for where it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.launcher.class_archive import PROPERTY, archive_flags
from kcl_processor.launcher.java import Java


@pytest.fixture
def java(tmp_path: Path) -> Java:
    """A file that stands for a Java."""
    path = tmp_path / "java"
    path.write_text("17")
    return Java(path, 17)


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A file that stands for a class path."""
    path = tmp_path / "one.jar"
    path.write_text("one")
    return path


def made(flags: list[str]) -> Path:
    """The archive that is to be made, made."""
    (flag,) = flags
    name, _, file = flag.partition("=")
    assert name == f"-D{PROPERTY}"
    Path(file).write_text("classes")
    return Path(file)


def test_what_a_first_start_asks_for_a_later_one_uses(
    tmp_path: Path, java: Java, jar: Path
) -> None:
    """Without a word of the JVM's, should it not be able to."""
    file = made(archive_flags(tmp_path, java, str(jar)))
    flags = archive_flags(tmp_path, java, str(jar))
    assert flags == [f"-XX:SharedArchiveFile={file}", "-Xshare:auto", "-Xlog:cds=off"]


def test_another_java_or_another_jar_is_another_archive(
    tmp_path: Path, java: Java, jar: Path
) -> None:
    """An upgrade in place, too; what fits no longer goes."""
    first = made(archive_flags(tmp_path, java, str(jar)))
    jar.write_text("another")
    second = made(archive_flags(tmp_path, java, str(jar)))
    assert second != first and not first.exists()
    java.path.write_text("25.0")
    assert made(archive_flags(tmp_path, java, str(jar))) != second and not second.exists()

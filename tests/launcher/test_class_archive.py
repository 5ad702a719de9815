"""An archive of the daemon's classes is made whole, used where it fits, asked for elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launcher import class_archive
from kcl_processor.launcher.class_archive import PROPERTY, WORD_END, archive_flags, make
from kcl_processor.launcher.java import Java
from tests.javas import DUMPS, SAYS_JAVA_17, java_that

REFUSES = "#!/bin/sh\necho no sharing here\nexit 1\n"
# Of no process: the kernel gives none so high a number.
NOBODY = 2**22 + 1


@pytest.fixture
def java(tmp_path: Path) -> Java:
    """A program that stands for a Java, and writes what it is asked for."""
    return Java(java_that(tmp_path, SAYS_JAVA_17 + DUMPS), 17)


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A file that stands for a class path."""
    path = tmp_path / "one.jar"
    path.write_text("one")
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory; a start has made it."""
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of jars, with no archive yet."""
    folder = tmp_path / "lib"
    folder.mkdir()
    return folder


def used(file: Path) -> list[str]:
    return [f"-XX:SharedArchiveFile={file}", "-Xshare:auto", "-Xlog:cds=off"]


def test_what_a_start_asks_for_is_what_a_later_one_uses(
    state: Path, installed: Path, java: Java, jar: Path
) -> None:
    """Without a word of the JVM's, should it not be able to. The words are a command to be run."""
    (flag,) = archive_flags(state, java, str(jar), installed)
    name, _, command = flag.partition("=")
    assert name == f"-D{PROPERTY}"
    words = [sys.executable, "-m", class_archive.__name__, "--java", str(java.path), str(state)]
    assert command.split(WORD_END) == words
    file = make(state, java, str(jar), installed)
    assert archive_flags(state, java, str(jar), installed) == used(file)
    assert list(state.iterdir()) == [file] and file.read_text() == "classes\n"


def test_one_beside_the_jars_serves_every_state_directory(
    state: Path, installed: Path, java: Java, jar: Path
) -> None:
    """It is used, and no second one is made."""
    file = make(installed, java, str(jar), installed)
    assert archive_flags(state, java, str(jar), installed) == used(file)
    assert make(state, java, str(jar), installed) == file
    assert list(state.iterdir()) == []


def test_another_java_or_another_jar_is_another_archive(
    state: Path, installed: Path, java: Java, jar: Path
) -> None:
    """An upgrade in place, too; what fits no longer goes, with the start or with what is made."""
    first = make(state, java, str(jar), installed)
    jar.write_text("another")
    second = make(state, java, str(jar), installed)
    assert second != first and not first.exists()
    java.path.write_text(SAYS_JAVA_17 + DUMPS + "# 25.0\n")
    (flag,) = archive_flags(state, java, str(jar), installed)
    assert flag.startswith("-D") and not second.exists()


def test_another_process_makes_its_own(state: Path, installed: Path, java: Java, jar: Path) -> None:
    """What one has half made stays while it lives; what one left that was killed goes."""
    file = make(state, java, str(jar), installed)
    file.unlink()
    living, dead = (file.with_name(f"{file.name}.{pid}") for pid in (os.getppid(), NOBODY))
    living.write_text("clas")
    dead.write_text("cl")
    assert make(state, java, str(jar), installed) == file
    assert sorted(state.iterdir()) == sorted([file, living])


def test_a_java_without_archives_says_so_and_leaves_nothing(
    state: Path, installed: Path, tmp_path: Path, jar: Path
) -> None:
    """A start goes on asking, in vain."""
    java = Java(java_that(tmp_path, REFUSES), 17)
    with pytest.raises(ConfigError, match="ended with 1: no sharing here"):
        make(state, java, str(jar), installed)
    assert list(state.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(installed: Path, java: Java, jar: Path) -> None:
    """As one that cannot be written."""
    with pytest.raises(ConfigError, match=f"{jar}/state: Not a directory"):
        make(jar / "state", java, str(jar), installed)


def test_the_command_says_what_it_cannot_do(tmp_path: Path) -> None:
    """It is what an installation types; a Java that is none is told of like everywhere."""
    command = [sys.executable, "-m", class_archive.__name__, "--java", str(tmp_path / "none")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == ConfigError.exit_code and ran.stdout == ""
    assert "does not run" in ran.stderr and "Try: " in ran.stderr


def test_the_list_holds_what_the_launcher_is_made_of() -> None:
    """Each line is a class, or how a lambda or a form of one is linked; none is of one process."""
    lines = class_archive.CLASSES.read_text(encoding="utf-8").splitlines()
    launcher = "io/github/kclprocessor/launcher/"
    assert f"{launcher}StreamsMultiLangDaemon" in lines
    assert any(line.startswith(f"@lambda-proxy {launcher}") for line in lines)
    assert not [line for line in lines if "/$Proxy" in line or " id: " in line]

"""The bootstrap script with the stock script's flags."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from kcl_processor.launcher import jars
from kcl_processor.launcher.java import MAIN_CLASS
from tests.kclpy import InstalledKclpy

SCRIPT = Path(__file__).parent.parent / "scripts" / "kcl_processor_helper.py"


@pytest.fixture(name="helper")
def _helper() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kcl_processor_helper", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="java")
def _java(tmp_path: Path) -> Path:
    java = tmp_path / "a folder" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    java.chmod(0o755)
    return java


def test_print_classpath_keeps_the_stock_order(
    helper: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Extra paths come first, then the daemon's jars, then the properties file's folder."""
    arguments = ["--print_classpath", "--path", "/extra", "-p", str(tmp_path / "t.properties")]
    assert helper.main(arguments) == 0
    expected = f"/extra:{jars.daemon_class_path()}:{tmp_path}\n"
    assert capsys.readouterr().out == expected


def test_print_command_is_one_shell_line(
    helper: ModuleType, java: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line splits into the words of the command again, spaces in paths included."""
    properties = tmp_path / "a folder" / "t.properties"
    arguments = ["--print_command", "--java", str(java), "--properties", str(properties)]
    assert helper.main([*arguments, "--log-configuration", "my.xml"]) == 0
    words = shlex.split(capsys.readouterr().out)
    assert words[0] == str(java)
    assert words[words.index("-cp") + 2] == MAIN_CLASS
    assert words[-4:] == ["--properties-file", str(properties), "--log-configuration", "my.xml"]


def test_a_jar_that_is_none_is_told(
    helper: ModuleType,
    java: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It has no state directory to note anything in, and so compares all of them each time."""
    path = InstalledKclpy(tmp_path / "installed", monkeypatch).damage("sts")
    assert helper.main(["--print_command", "-j", str(java), "-p", "t.properties"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and path.name in said.err


def test_unusable_java_is_told(
    helper: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error goes to stderr with what to type next, and stdout stays empty."""
    assert helper.main(["--print_command", "-j", str(tmp_path), "-p", "t.properties"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Try: the same without --java" in said.err


def test_nothing_asked_is_a_usage_error(helper: ModuleType) -> None:
    """Without one of the two actions it says how it is used."""
    with pytest.raises(SystemExit) as ended:
        helper.main([])
    assert ended.value.code == 2

"""Finding a Java runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launcher.java import Java, find_java, jvm_flags
from kcl_processor.launcher.memory import heap_mb


def java(folder: Path, says: str, exit_code: int = 0) -> Path:
    """A program that answers ``java -version`` as a JVM does, on stderr."""
    path = folder / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


def test_explicit_path_comes_first(tmp_path: Path) -> None:
    """A path that was named is taken, whatever JAVA_HOME says."""
    named = java(tmp_path / "a", 'openjdk version "25.0.2" 2026-01-20')
    java(tmp_path / "b", 'openjdk version "17.0.15"')
    assert find_java(str(named), {"JAVA_HOME": str(tmp_path / "b")}) == Java(named, 25)


def test_old_java_home_is_passed_over(tmp_path: Path) -> None:
    """A JAVA_HOME that is too old leaves the choice to PATH."""
    java(tmp_path / "old", 'java version "1.8.0_402"')
    newer = java(tmp_path / "new", 'openjdk version "17" 2021-09-14')
    environ = {"JAVA_HOME": str(tmp_path / "old"), "PATH": str(newer.parent)}
    assert find_java(None, environ) == Java(newer, 17)


def test_refusal_tells_each_reason(tmp_path: Path) -> None:
    """A named Java that does not serve is not replaced by another; the error says why."""
    old = java(tmp_path / "a", 'openjdk version "11.0.22"')
    with pytest.raises(ConfigError, match=r"\(--java\) is Java 11") as refused:
        find_java(str(old))
    assert refused.value.hint == "the same without --java"
    broken = java(tmp_path / "b", 'openjdk version "17.0.15"', exit_code=1)
    with pytest.raises(ConfigError, match="does not run"):
        find_java(str(broken))
    with pytest.raises(ConfigError, match="does not run"):
        find_java(str(tmp_path / "nowhere"))


def test_flags_suit_the_version(tmp_path: Path) -> None:
    """Java 17 gets no flag that it would refuse; every version is bounded and ends when full."""
    old, new = jvm_flags(17), jvm_flags(25, tmp_path, "orders-")
    assert {f"-Xmx{heap_mb()}m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"} <= set(
        old
    ) & set(new)
    assert not [flag for flag in old if flag.startswith("--")]
    assert "--enable-native-access=ALL-UNNAMED" in new
    assert new[-2:] == [f"-Dkcl_processor.log.dir={tmp_path}", "-Dkcl_processor.log.prefix=orders-"]

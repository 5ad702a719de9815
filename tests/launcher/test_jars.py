"""The jar manifest and the class path."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launcher.jars import (
    LAUNCHER_JAR,
    LIB,
    Jar,
    Kclpy,
    check,
    daemon_class_path,
    kclpy_jars,
    read_manifest,
    refuse_two_versions,
)

KCLPY = Kclpy("3.1.3", ("amazon-kinesis-client", "sts"), frozenset({"commons-logging"}))


def put(folder: Path, *names: str) -> list[Path]:
    """Write files that are not empty."""
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(b"PK")
    return paths


def test_every_jar_has_a_checksum_and_a_use() -> None:
    """No jar is without its SHA-256, and none has a use that nothing asks for."""
    jars = read_manifest().jars
    assert not [jar for jar in jars if not re.fullmatch("[0-9a-f]{64}", jar.sha256)]
    assert {jar.use for jar in jars} == {"runtime", "build", "test", "local", "original"}


def test_another_files_checksum_is_refused(tmp_path: Path) -> None:
    """A file that is not the manifest's is refused by its name and both checksums."""
    jar = Jar("runtime", "g", "thing", "1.0", hashlib.sha256(b"PK").hexdigest())
    (path,) = put(tmp_path, jar.file_name)
    check(jar, path)
    path.write_bytes(b"PK, tampered with")
    with pytest.raises(ConfigError, match=rf"thing-1\.0\.jar.*not {jar.sha256}"):
        check(jar, path)


def test_class_path_begins_with_the_launcher_and_the_logging_bridge() -> None:
    """The bridge precedes all that logs through commons-logging, whose own jar is left out."""
    path = daemon_class_path().split(":")
    (bridge,) = [jar for jar in read_manifest().jars if jar.artifact == "jcl-over-slf4j"]
    assert path[:2] == [str(LAUNCHER_JAR), str(LIB / bridge.file_name)]
    assert not [jar for jar in path if Path(jar).name.startswith("commons-logging")]


def test_two_versions_of_an_artifact_are_refused() -> None:
    """Which of two versions Java would load depends on the order: neither is accepted."""
    refuse_two_versions([Path("/a/sts-2.33.0.jar"), Path("/a/http-auth-2.33.0.jar")])
    with pytest.raises(ConfigError, match=r"two versions of http-auth .*/a/.* and /b/"):
        refuse_two_versions([Path("/a/http-auth-2.33.0.jar"), Path("/b/http-auth-2.34.0.jar")])


def test_missing_or_empty_jar_of_kclpy_is_named(tmp_path: Path) -> None:
    """amazon-kclpy leaves an empty file where a download failed; that is no jar."""
    good = put(tmp_path, "amazon-kinesis-client-3.1.3.jar", "commons-logging-1.2.jar")
    with pytest.raises(ConfigError, match="lacks, or has empty: sts"):
        kclpy_jars(KCLPY, tmp_path)
    (empty,) = put(tmp_path, "sts-2.33.0.jar")
    assert kclpy_jars(KCLPY, tmp_path) == [good[0], empty]
    empty.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"sts-2\.33\.0\.jar"):
        kclpy_jars(KCLPY, tmp_path)

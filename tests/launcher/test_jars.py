"""The jar manifest and the class path."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launcher.jars import (
    LAUNCHER_JAR,
    LIB,
    Jar,
    Kclpy,
    Manifest,
    Placed,
    check,
    daemon_class_path,
    daemon_jars,
    fetch,
    kclpy_jars,
    read_manifest,
)

# jcl-over-slf4j takes its place.
LEFT_OUT = {"commons-logging"}


def jar_of(content: bytes, artifact: str = "thing", version: str = "1.0") -> Jar:
    return Jar("kclpy", "g", artifact, version, hashlib.sha256(content).hexdigest())


def test_every_jar_has_a_checksum_and_a_use() -> None:
    """No jar is without its SHA-256, and none has a use that nothing asks for."""
    jars = read_manifest().jars
    assert not [jar for jar in jars if not re.fullmatch("[0-9a-f]{64}", jar.sha256)]
    uses = {"runtime", "kclpy", "build", "test", "local", "original"}
    assert {jar.use for jar in jars} == uses


def test_every_jar_of_the_daemon_is_the_manifests() -> None:
    """As this machine has them, with all that a download may have done to them."""
    check(daemon_jars())


def test_amazon_kclpy_brings_what_the_manifest_names_or_replaces() -> None:
    """A jar that a later amazon-kclpy adds would be on nobody's class path."""
    manifest = read_manifest()
    listed = {placed.path for placed in kclpy_jars(manifest)}
    (folder,) = {path.parent for path in listed}
    others = {path.name.rpartition("-")[0] for path in set(folder.glob("*.jar")) - listed}
    assert others - {jar.artifact for jar in manifest.of("runtime")} == LEFT_OUT


@pytest.mark.parametrize("family", ["io.netty", "com.fasterxml.jackson", "ch.qos.logback"])
def test_a_family_is_of_one_version(family: str) -> None:
    """Its jars call each other's insides: with all of amazon-kclpy's, or with none."""
    manifest = read_manifest()
    jars = [*manifest.of("runtime"), *manifest.of("kclpy")]
    members = [jar for jar in jars if jar.group.startswith(family)]
    assert len(members) > 1 and len({(jar.use, jar.version) for jar in members}) == 1


def test_another_files_checksum_is_refused(tmp_path: Path) -> None:
    """A file that is not the manifest's is refused by its name and both checksums."""
    jar = jar_of(b"PK")
    placed = Placed(jar, tmp_path / jar.file_name, "get another")
    placed.path.write_bytes(b"PK")
    check([placed])
    placed.path.write_bytes(b"PK, tampered with")
    with pytest.raises(ConfigError, match=rf"thing-1\.0\.jar.*not {jar.sha256}") as refused:
        check([placed])
    assert refused.value.hint == "get another"


def test_a_jar_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """As a folder in its place cannot."""
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory"):
        check([Placed(jar_of(b"PK"), tmp_path, "get another")])


class Repository:
    """jgo's context and all that hangs on it, for one jar: it writes a file in its place, half of
    it until ``whole`` is set, and takes what lies there already as it is."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self.repo_cache = folder
        self.begun, self.whole = threading.Event(), threading.Event()
        self._path, self._content = folder / "thing.jar", content

    def project(self, *_: str) -> Repository:
        return self

    at_version = project

    def artifact(self, **_: str) -> Repository:
        return self

    def resolve(self) -> Path:
        if not self._path.exists():
            self._path.write_bytes(self._content[:1])
            self.begun.set()
            self.whole.wait(10)
            self._path.write_bytes(self._content)
        return self._path


def test_two_that_fetch_into_one_repository_wait_for_each_other(tmp_path: Path) -> None:
    """The second finds a whole file, where it would find half of one."""
    repository = Repository(tmp_path / "m2", b"PK")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fetch, repository, [jar_of(b"PK")])
        assert repository.begun.wait(10)
        second = pool.submit(fetch, repository, [jar_of(b"PK")])
        with pytest.raises(TimeoutError):
            second.result(0.2)
        repository.whole.set()
        assert first.result(10) == second.result(10) == [tmp_path / "m2" / "thing.jar"]


def test_a_repository_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """As below a file it cannot."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file/m2 cannot be used: Not a directory"):
        fetch(Repository(tmp_path / "file" / "m2", b""), [])


def test_class_path_begins_with_the_launcher_and_the_logging_bridge() -> None:
    """The bridge precedes all that logs through commons-logging, whose own jar is left out."""
    path = daemon_class_path().split(":")
    (bridge,) = [jar for jar in read_manifest().jars if jar.artifact == "jcl-over-slf4j"]
    assert path[:2] == [str(LAUNCHER_JAR), str(LIB / bridge.file_name)]
    assert not [jar for jar in path if Path(jar).name.startswith("commons-logging")]


def test_no_artifact_is_on_the_class_path_twice() -> None:
    """Which of two versions Java would load depends on the order."""
    manifest = read_manifest()
    jars = [*manifest.of("runtime"), *manifest.of("kclpy")]
    assert Counter(jar.artifact for jar in jars).most_common(1)[0][1] == 1


def test_missing_or_empty_jar_of_kclpy_is_named(tmp_path: Path) -> None:
    """amazon-kclpy leaves an empty file where a download failed; that is no jar. What nobody
    named is not loaded."""
    jars = (jar_of(b"PK", "client"), jar_of(b"PK", "sts"))
    manifest = Manifest(Kclpy(read_manifest().kclpy.version), jars)
    client, sts = (tmp_path / jar.file_name for jar in jars)
    for path in (client, tmp_path / "client-2.0.jar"):
        path.write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"lacks, or has empty: sts-1\.0\.jar$"):
        kclpy_jars(manifest, tmp_path)
    sts.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"sts-1\.0\.jar$"):
        kclpy_jars(manifest, tmp_path)
    sts.write_bytes(b"PK")
    assert [placed.path for placed in kclpy_jars(manifest, tmp_path)] == [client, sts]


def test_another_version_of_kclpy_is_told(tmp_path: Path) -> None:
    """It brings other jars, and so lacks what is needed."""
    manifest = Manifest(Kclpy("0.1"), (jar_of(b"PK"),))
    installed = read_manifest().kclpy.version
    with pytest.raises(ConfigError, match=f"it is version {installed}, not 0.1") as refused:
        kclpy_jars(manifest, tmp_path)
    assert refused.value.hint.endswith("==0.1")

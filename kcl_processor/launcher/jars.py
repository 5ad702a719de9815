"""The jars of the product: fetched, checked against the manifest, and put on a class path.

``launcher/jars.json`` names every jar with its version, SHA-256 and use: ``runtime`` ships in the
wheel, ``build`` and ``test`` serve developers, ``local`` is DynamoDB Local with what it needs,
``original`` the KCL 1.x and the adapter that the original library is built with, for a test. The
KCL's own jars come with ``amazon-kclpy``, whose version the manifest pins.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kcl_processor.errors import ConfigError

LAUNCHER = Path(__file__).parent
LIB = LAUNCHER / "lib"
LAUNCHER_JAR = LIB / "kcl-processor-launcher.jar"
_VERSIONED = re.compile(r"(?P<artifact>.+?)-(?P<version>\d[^/]*)\.jar")
_REINSTALL = "pip install --force-reinstall kcl-processor"


@dataclass(frozen=True)
class Jar:
    """One line of the manifest; ``packaging`` is ``so`` for a native library."""

    use: str
    group: str
    artifact: str
    version: str
    sha256: str
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.{self.packaging}"


@dataclass(frozen=True)
class Kclpy:
    """What is expected of amazon-kclpy: its version, artifacts it must bring, those not used."""

    version: str
    needs: tuple[str, ...]
    leave_out: frozenset[str]


@dataclass(frozen=True)
class Manifest:
    """The whole of ``jars.json``."""

    kclpy: Kclpy
    jars: tuple[Jar, ...]

    def of(self, use: str) -> list[Jar]:
        """Return the jars of one use, in class path order."""
        return [jar for jar in self.jars if jar.use == use]


def read_manifest(path: Path = LAUNCHER / "jars.json") -> Manifest:
    """Read the manifest."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    kclpy = raw["kclpy"]
    return Manifest(
        Kclpy(kclpy["version"], tuple(kclpy["needs"]), frozenset(kclpy["leave_out"])),
        tuple(Jar(**entry) for entry in raw["jars"]),
    )


def resolve(use: str) -> list[Path]:
    """Fetch the jars of ``use`` into the local Maven repository and return where they lie.

    What lies there already is not fetched again, so a second call works offline.

    Raises:
        ConfigError: a jar cannot be fetched, or is not the file that the manifest describes.
    """
    context = _maven_context()
    # Sixteen threads would be refused by some mirrors; six hide most of the latency.
    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(lambda jar: _fetch(context, jar), read_manifest().of(use)))


def _maven_context() -> Any:
    """Build jgo's context from jgo's own settings file, which its API does not read by itself."""
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as error:
        raise ConfigError(
            "fetching jars needs the Python package jgo, which is not installed",
            "pip install 'kcl-processor[local]'",
        ) from error
    settings = GlobalSettings.load()
    default = MavenContext(repo_cache=settings.repo_cache)
    # Configured repositories are asked first; one named "central" takes the default's place.
    remotes = {**settings.repositories, **default.remote_repos, **settings.repositories}
    return MavenContext(repo_cache=settings.repo_cache, remote_repos=remotes)


def _fetch(context: Any, jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        path = Path(component.artifact(packaging=jar.packaging).resolve())
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"{jar.file_name} cannot be fetched: {error}",
            "name a repository under [repositories] in ~/.config/jgo.conf,"
            " or put the file into ~/.m2/repository",
        ) from error
    check(jar, path)
    return path


def check(jar: Jar, path: Path) -> None:
    """Compare a file with the manifest.

    Raises:
        ConfigError: its SHA-256 is not the one in the manifest.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise ConfigError(
            f"{path} is not {jar.file_name} of the manifest: SHA-256 is {found}, not {jar.sha256}",
            f"rm {path}   (it is fetched again by the next run)",
        )


def daemon_class_path() -> str:
    """Return the daemon's class path: launcher, runtime jars, then the KCL's from amazon-kclpy.

    The order matters: jcl-over-slf4j must be found before any commons-logging, so that the
    adapter's lines reach logback.

    Raises:
        ConfigError: a jar is missing or empty, or two versions of one artifact would be loaded.
    """
    manifest = read_manifest()
    ours = [LAUNCHER_JAR, *(LIB / jar.file_name for jar in manifest.of("runtime"))]
    for path in ours:
        if not path.is_file():
            raise ConfigError(f"{path} is missing: the launcher was not built", _REINSTALL)
    jars = [*ours, *kclpy_jars(manifest.kclpy)]
    refuse_two_versions(jars)
    return join_class_path(jars)


def kclpy_jars(kclpy: Kclpy, folder: Path | None = None) -> list[Path]:
    """Return the jars in amazon-kclpy's package, without those that the launcher replaces.

    Raises:
        ConfigError: one that is needed is missing, or any is empty (a download that failed
            during its installation leaves such a file).
    """
    folder = folder or _kclpy_folder() / "jars"
    jars = sorted(jar for jar in folder.glob("*.jar") if _artifact(jar) not in kclpy.leave_out)
    missing = set(kclpy.needs) - {_artifact(jar) for jar in jars if jar.stat().st_size}
    broken = sorted(missing) + [jar.name for jar in jars if not jar.stat().st_size]
    if broken:
        raise ConfigError(
            f"amazon-kclpy's folder {folder} lacks, or has empty: {', '.join(broken)}",
            f"pip install --force-reinstall --no-cache-dir amazon-kclpy=={kclpy.version}",
        )
    return jars


def _kclpy_folder() -> Path:
    spec = find_spec("amazon_kclpy")
    if spec is None or not spec.submodule_search_locations:
        version = read_manifest().kclpy.version
        raise ConfigError(
            "the Python package amazon-kclpy, which brings the KCL's jars, is not installed",
            f"pip install amazon-kclpy=={version}",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def refuse_two_versions(path: Iterable[Path]) -> None:
    """Check that every artifact is on the class path once.

    Raises:
        ConfigError: with both files' names.
    """
    seen: dict[str, Path] = {}
    for jar in path:
        other = seen.setdefault(_artifact(jar), jar)
        if other != jar:
            raise ConfigError(
                f"two versions of {_artifact(jar)} on the class path: {other} and {jar}",
                f"{_REINSTALL} amazon-kclpy=={read_manifest().kclpy.version}",
            )


def _artifact(jar: Path) -> str:
    match = _VERSIONED.fullmatch(jar.name)
    return match["artifact"] if match else jar.stem


def dynamodb_local_class_path() -> list[Path]:
    """Fetch DynamoDB Local and return its class path (demo and integration tests only)."""
    return [path for path in resolve("local") if path.suffix == ".jar"]


def dynamodb_local_native_folder() -> Path:
    """Return the folder for ``-Djava.library.path``: where SQLite's native library lies."""
    return next(path.parent for path in resolve("local") if path.suffix == ".so")


def join_class_path(jars: Iterable[Path]) -> str:
    """Return a class path as java's ``-cp`` takes it."""
    return os.pathsep.join(map(str, jars))

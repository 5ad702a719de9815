"""The jars of the product: fetched, checked against the manifest, and put on a class path.

``launcher/jars.json`` names every jar with its version, SHA-256 and use: ``runtime`` ships in the
wheel, ``kclpy`` comes with ``amazon-kclpy``, whose version the manifest pins and whose own set-up
checks nothing that it downloads, ``build`` and ``test`` serve developers, ``local`` is DynamoDB
Local with what it needs, ``original`` the KCL 1.x and the adapter that the original library is
built with, for a test.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kcl_processor.errors import ConfigError

LAUNCHER = Path(__file__).parent
LIB = LAUNCHER / "lib"
LAUNCHER_JAR = LIB / "kcl-processor-launcher.jar"
_REINSTALL = "pip install --force-reinstall kcl-processor"


@dataclass(frozen=True)
class Jar:
    """One line of the manifest; ``packaging`` is ``so`` for a native library, and ``license`` an
    SPDX expression, which the jars of the daemon have."""

    use: str
    group: str
    artifact: str
    version: str
    sha256: str
    packaging: str = "jar"
    license: str = ""

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.{self.packaging}"


@dataclass(frozen=True)
class Placed:
    """A jar of the manifest in the place where it is used, and what to type to have it anew."""

    jar: Jar
    path: Path
    hint: str


@dataclass(frozen=True)
class Kclpy:
    """What is expected of amazon-kclpy beside its jars."""

    version: str

    @property
    def reinstall(self) -> str:
        """What to type to have its jars downloaded anew. pip keeps the package it once built."""
        return (
            "pip cache remove amazon_kclpy; "
            f"pip install --force-reinstall --no-deps amazon-kclpy=={self.version}"
        )


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
    return Manifest(Kclpy(**raw["kclpy"]), tuple(Jar(**entry) for entry in raw["jars"]))


def resolve(use: str) -> list[Path]:
    """Fetch the jars of ``use`` into the local Maven repository and return where they lie.

    What lies there already is not fetched again, so a second call works offline.

    Raises:
        ConfigError: a jar cannot be fetched, or is not the file that the manifest describes.
    """
    return fetch(_maven_context(), read_manifest().of(use))


def fetch(context: Any, jars: Sequence[Jar]) -> list[Path]:
    """Fetch jars into a context's repository, where they are not yet, and return where they lie.

    Raises:
        ConfigError: as of :func:`resolve`.
    """
    # Sixteen threads would be refused by some mirrors; six hide most of the latency.
    with _alone(Path(context.repo_cache)), ThreadPoolExecutor(6) as pool:
        return list(pool.map(lambda jar: _fetch(context, jar), jars))


@contextmanager
def _alone(repository: Path) -> Iterator[None]:
    """Wait for other processes of ours that fetch into a repository: jgo writes a file in its
    place, where they would find half of it, and fails on one that came meanwhile."""
    try:
        repository.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(repository, os.O_RDONLY)
    except OSError as error:
        raise ConfigError(
            f"{repository} cannot be used: {error.strerror}",
            "name another folder as repo_cache under [settings] in ~/.config/jgo.conf",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
    check([Placed(jar, path, f"rm {path}   (it is fetched again by the next run)")])
    return path


def check(jars: Iterable[Placed]) -> None:
    """Compare files with the manifest.

    Raises:
        ConfigError: the SHA-256 of one is not that in the manifest, or it cannot be read.
    """
    for placed in jars:
        jar, path = placed.jar, placed.path
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}", placed.hint) from error
        if found != jar.sha256:
            raise ConfigError(
                f"{path} is not {jar.file_name} of the manifest: SHA-256 is {found}, not "
                f"{jar.sha256}",
                placed.hint,
            )


def daemon_class_path() -> str:
    """Return the daemon's class path: the launcher, then :func:`daemon_jars`.

    Raises:
        ConfigError: a jar is missing or empty.
    """
    jars = daemon_jars()
    return join_class_path([_built(LAUNCHER_JAR), *(placed.path for placed in jars)])


def daemon_jars() -> list[Placed]:
    """Return where the jars of the daemon's class path are: those of the wheel, then the KCL's.

    What else lies in either folder is loaded by nobody. The order matters: jcl-over-slf4j must be
    found before anything that logs through commons-logging (whose own jar is therefore not in the
    manifest), so that the adapter's lines reach logback.

    Raises:
        ConfigError: a jar is missing or empty. What is in it, :func:`check` compares.
    """
    manifest = read_manifest()
    ours = [Placed(jar, _built(LIB / jar.file_name), _REINSTALL) for jar in manifest.of("runtime")]
    return [*ours, *kclpy_jars(manifest)]


def _built(path: Path) -> Path:
    if not path.is_file():
        raise ConfigError(f"{path} is missing: the launcher was not built", _REINSTALL)
    return path


def kclpy_jars(manifest: Manifest, folder: Path | None = None) -> list[Placed]:
    """Return where the jars are that amazon-kclpy's package is to bring.

    Raises:
        ConfigError: one is missing or empty (a download that failed during its installation leaves
            such a file), or another version of the package is installed.
    """
    folder = folder or _kclpy_folder() / "jars"
    reinstall = manifest.kclpy.reinstall
    jars = [Placed(jar, folder / jar.file_name, reinstall) for jar in manifest.of("kclpy")]
    broken = [placed.path.name for placed in jars if not _holds_something(placed.path)]
    if broken:
        raise ConfigError(
            f"amazon-kclpy's folder {folder} lacks, or has empty: {', '.join(broken)}"
            f"{_other_version(manifest.kclpy)}",
            reinstall,
        )
    return jars


def _holds_something(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _other_version(kclpy: Kclpy) -> str:
    try:
        found = metadata.version("amazon-kclpy")
    except metadata.PackageNotFoundError:
        return ""
    return "" if found == kclpy.version else f"; it is version {found}, not {kclpy.version}"


def _kclpy_folder() -> Path:
    spec = find_spec("amazon_kclpy")
    if spec is None or not spec.submodule_search_locations:
        version = read_manifest().kclpy.version
        raise ConfigError(
            "the Python package amazon-kclpy, which brings the KCL's jars, is not installed",
            f"pip install amazon-kclpy=={version}",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def dynamodb_local_class_path() -> list[Path]:
    """Fetch DynamoDB Local and return its class path (demo and integration tests only)."""
    return [path for path in resolve("local") if path.suffix == ".jar"]


def dynamodb_local_native_folder() -> Path:
    """Return the folder for ``-Djava.library.path``: where SQLite's native library lies."""
    return next(path.parent for path in resolve("local") if path.suffix == ".so")


def join_class_path(jars: Iterable[Path]) -> str:
    """Return a class path as java's ``-cp`` takes it."""
    return os.pathsep.join(map(str, jars))

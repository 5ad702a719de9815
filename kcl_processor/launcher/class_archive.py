"""The daemon's classes, read and checked once for all of its starts: the JVM's class data sharing.

A daemon that finds no archive makes one, a minute after its start and beside its work
(``ClassArchive`` of the launcher); a later start takes it. It is for one Java and one class path,
which its name stands for. One that the JVM cannot use all the same it passes over without a word.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kcl_processor.launcher.java import Java

# What the launcher reads: where an archive is to be made.
PROPERTY = "kcl_processor.classes"


def archive_flags(folder: Path, java: Java, class_path: str) -> list[str]:
    """The JVM's flags for an archive in a folder: to use it, or to make it. What other versions
    left there goes."""
    file = folder / f"classes-{_key(java, class_path)}.jsa"
    for other in folder.glob("classes-*.jsa*"):
        # Behind its own name stands the process that is making it.
        if not other.name.startswith(file.name):
            other.unlink(missing_ok=True)
    if file.exists():
        return [f"-XX:SharedArchiveFile={file}", "-Xshare:auto", "-Xlog:cds=off"]
    return [f"-D{PROPERTY}={file}"]


def _key(java: Java, class_path: str) -> str:
    parts = [_state(java.path), *map(_state, map(Path, class_path.split(os.pathsep)))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _state(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return str(file)
    return f"{file} {found.st_size} {found.st_mtime_ns}"

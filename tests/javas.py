"""Programs that stand for a Java."""

from __future__ import annotations

from pathlib import Path

SAYS_JAVA_17 = """#!/bin/sh
[ "$1" = -version ] && echo 'openjdk version "17.0.1"' >&2
"""
# An archive of classes, where one is asked for.
DUMPS = """for word; do case $word in
  -XX:SharedArchiveFile=*) echo classes > "${word#*=}";;
esac; done
"""


def java_that(folder: Path, text: str) -> Path:
    """A ``java`` in a folder that is there, by its script."""
    path = folder / "java"
    path.write_text(text)
    path.chmod(0o755)
    return path

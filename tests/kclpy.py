"""An amazon-kclpy whose jars a test may damage; the installed one stays as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kcl_processor.launcher.jars import Manifest, kclpy_jars, read_manifest

# What a mirror answered in place of a jar; amazon-kclpy's set-up keeps whatever comes.
NO_JAR = b"{}"


class InstalledKclpy:
    """The package in a folder of its own, found before the installed one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.manifest: Manifest = read_manifest()
        self.jars = folder / "amazon_kclpy" / "jars"
        self.jars.mkdir(parents=True)
        (self.jars.parent / "__init__.py").touch()
        for placed in kclpy_jars(self.manifest):
            self.path(placed.jar.artifact).symlink_to(placed.path)
        monkeypatch.delitem(sys.modules, "amazon_kclpy", raising=False)
        monkeypatch.syspath_prepend(folder)

    def path(self, artifact: str) -> Path:
        """Where the jar of an artifact lies."""
        (name,) = (j.file_name for j in self.manifest.of("kclpy") if j.artifact == artifact)
        return self.jars / name

    def damage(self, artifact: str, content: bytes = NO_JAR) -> Path:
        """Put another file in a jar's place."""
        path = self.path(artifact)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        return path

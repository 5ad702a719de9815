"""The launcher's own tests, which are JUnit's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kcl_processor.launcher.build import compile_java
from kcl_processor.launcher.jars import LAUNCHER, daemon_class_path, join_class_path, resolve
from kcl_processor.launcher.java import find_java


def test_the_launchers_junit_tests_pass(tmp_path: Path) -> None:
    """Every JUnit test of the launcher passes on the class path that the daemon runs with."""
    java = find_java().path
    class_path = [*map(Path, daemon_class_path().split(":")), *resolve("test")]
    compile_java(java, LAUNCHER / "test", class_path, tmp_path)
    console = ["org.junit.platform.console.ConsoleLauncher", "execute"]
    ran = subprocess.run(
        [
            *(str(java), "-Xmx256m", "-cp", join_class_path([tmp_path, *class_path]), *console),
            *("--scan-class-path", str(tmp_path), "--details=summary", "--disable-banner"),
            "--fail-if-no-tests",
        ],
        capture_output=True,
        text=True,
        # Some tests are of where credentials come from, and the environment goes before all else.
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        # The built-in logback.xml writes to the working directory.
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

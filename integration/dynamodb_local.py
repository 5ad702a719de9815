"""DynamoDB Local in memory, on a free port, for the time of a `with` block."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60.0


@contextmanager
def dynamodb_local(
    class_path: Iterable[Path], java: str = "java", heap: str = "256m"
) -> Iterator[str]:
    """Run DynamoDB Local and yield its URL; all regions and access keys share one set of tables.

    `class_path` holds its jars and the sqlite4java natives for this system. Raises RuntimeError
    if it does not answer in time; its output is then in the message.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="dynamodb-local-") as folder:
        jars = _place_natives(class_path, Path(folder))
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(java, f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                    *(f"-Djava.library.path={folder}", "-cp", ":".join(map(str, jars))),
                    "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
                    *("-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _place_natives(class_path: Iterable[Path], folder: Path) -> list[Path]:
    """Copy the shared libraries to `folder`, as sqlite4java looks for them; return the jars."""
    jars = []
    for path in class_path:
        if path.suffix == ".jar":
            jars.append(path)
        elif path.suffix in (".so", ".dylib"):
            shutil.copy(path, folder / path.name)
    return jars


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"DynamoDB Local did not answer at {url}; its output ends with:\n{tail}")

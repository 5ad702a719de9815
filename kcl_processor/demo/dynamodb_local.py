"""DynamoDB Local in memory, on a free port of the loopback, for the time of a `with` block."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kcl_processor.clock import Clock
from kcl_processor.errors import OperatorError
from kcl_processor.launcher.jars import (
    LAUNCHER_JAR,
    dynamodb_local_class_path,
    dynamodb_local_native_folder,
    join_class_path,
)
from kcl_processor.launcher.java import find_java

START_SECONDS = 60.0
# DynamoDB Local's own would listen on every address of the machine.
_MAIN_CLASS = "io.github.kclprocessor.launcher.LoopbackDatabase"


@contextmanager
def dynamodb_local(
    clock: Clock,
    wait: Callable[[float], None],
    java: str | None = None,
    *,
    regions_apart: bool = False,
    heap: str = "256m",
) -> Iterator[str]:
    """Run DynamoDB Local and yield its URL.

    Args:
        wait: waits for some seconds.
        java: the ``java`` to run; found as the daemon's is otherwise.
        regions_apart: whether each region and access key has tables of its own.

    Raises:
        ConfigError: its jars or a Java runtime are missing.
        OperatorError: it does not answer in time; the message ends with its output.
    """
    port = _free_port()
    shared = [] if regions_apart else ["-sharedDb"]
    command = [
        *(str(find_java(java).path), f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        f"-Djava.library.path={dynamodb_local_native_folder()}",
        *("-cp", join_class_path([*dynamodb_local_class_path(), LAUNCHER_JAR])),
        _MAIN_CLASS,
        *("-inMemory", *shared, "-disableTelemetry", "-port", str(port)),
    ]
    with tempfile.TemporaryDirectory(prefix="dynamodb-local-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            # A Ctrl-C is for whoever uses it; it ends with the block.
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            _until_answering(url, process, log, clock, wait)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_answering(
    url: str,
    process: subprocess.Popen[bytes],
    log: Path,
    clock: Clock,
    wait: Callable[[float], None],
) -> None:
    deadline = clock.elapsed() + START_SECONDS
    while clock.elapsed() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            wait(0.1)
    tail = log.read_text(errors="replace")[-2000:]
    raise OperatorError(
        f"DynamoDB Local did not answer at {url}; its output ends with:\n{tail.rstrip()}",
        "java -version and free -m: it needs a Java that runs, and 256 MB of memory for it",
    )

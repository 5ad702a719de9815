"""`python -m integration.class_list`: write the list of classes that a daemon loads.

For the archive of classes that starts begin with (`kcl_processor/launcher/class_archive.py`). The
JVM lists what it loads, with the lambdas that it links, over two starts: the first one of a worker,
to whom a shard's end comes, and one after it; both are stopped. What is made anew in each process
(proxies, event handlers) no archive can hold.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from integration import task_file
from integration.bench.subject import OURS, Subject
from integration.local_tables import database
from integration.simulator.client import SimulatorProcess
from integration.until import until
from kcl_processor.launcher.class_archive import CLASSES
from kcl_processor.launcher.java import find_java

_MADE_ANEW = re.compile(r"\$Proxy\d|jdk/jfr/internal/handlers/")
# Java 17 numbers the classes; those of loaders that are not its own have a source.
_NUMBER, _SOURCE = re.compile(r" id: \d+$"), " source: "


def main() -> None:
    """Start, roll over, stop, start and stop a daemon; write down what it loaded."""
    with tempfile.TemporaryDirectory() as name, database() as behind:
        folder = Path(name)
        _run(folder, behind)
        lists = sorted(folder.glob("*.list"))
        lines = sorted({line for file in lists for line in listed(file.read_text())}, key=_last)
    CLASSES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{CLASSES}: {len(lines)} lines")


def _run(folder: Path, behind: str) -> None:
    # No archive is this program's, and so everything is loaded and linked.
    java = java_with(f"-XX:DumpLoadedClassList={folder}/$$.list", folder)
    with SimulatorProcess(behind=behind, identify_processes=False, rate=20.0) as simulator:
        tasks = folder / "tasks.yml"
        task_file.write(tasks, "list", task_file.simulated(simulator, behind))
        subject = Subject("listed", f"{OURS} --java {java}")
        with subject.worker(simulator, "list", tasks) as worker:
            until(lambda: simulator.verdict()["first_write"] is not None, "a write", 120)
            simulator.control(rollover=0)
            until(lambda: bool(simulator.verdict()["rollover_pauses_s"]), "a child's write", 120)
            assert worker.stop() == 0
            simulator.control(reset_measurements=None)
            worker.start()
            until(lambda: simulator.verdict()["first_write"] is not None, "a write", 120)
            assert worker.stop() == 0


def java_with(flag: str, folder: Path) -> Path:
    """A program that is this machine's Java with a flag, in which `$$` is the process."""
    java = folder / "java"
    java.write_text(f'#!/bin/sh\nexec {find_java().path} "{flag}" "$@"\n')
    java.chmod(0o755)
    return java


def _last(line: str) -> tuple[bool, str]:
    """What is linked comes behind the classes; in an order that changes as little as the list."""
    return line.startswith("@"), line


def listed(text: str) -> Iterator[str]:
    """The lines of a JVM's list that an archive can hold."""
    for line in text.splitlines():
        if not line.startswith("#") and _SOURCE not in line and not _MADE_ANEW.search(line):
            yield _NUMBER.sub("", line)


if __name__ == "__main__":
    main()

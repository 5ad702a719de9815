"""The daemon's classes, read, checked and linked once for all of its starts: the JVM's class data
sharing.

An archive is made from the list of what a daemon loads, ``classes.txt``, without a daemon: by
``python -m kcl_processor.launcher.class_archive`` beside the jars, at an installation, and by
``doctor`` in the state directory. A daemon that finds neither has the latter made a minute after
its start, beside its work (``ClassArchive`` of the launcher). It is for one Java and one class
path, which its name stands for. One that the JVM cannot use all the same it passes over without a
word.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from kcl_processor.errors import ConfigError, ExitCode, OperatorError, of_disk
from kcl_processor.launcher.jars import LAUNCHER, LIB, daemon_class_path
from kcl_processor.launcher.java import Java, find_java

# Written by `python -m integration.class_list`; a name that is no longer there is passed over.
CLASSES = LAUNCHER / "classes.txt"
# What the launcher reads: the words of the command that makes an archive.
PROPERTY = "kcl_processor.classes"
WORD_END = "\t"
_MODULE = "kcl_processor.launcher.class_archive"
_SECONDS = 300
_HINT = "do without: a start then takes a second more"


def archive_flags(
    folder: Path, java: Java, class_path: str, installed: Path = LIB, python: str = sys.executable
) -> list[str]:
    """The JVM's flags for an archive: to use one, or to have one made in a folder. What other
    versions left there goes."""
    name = _name(java, class_path)
    _remove_others(folder, name)
    if file := _there(name, installed, folder):
        return [f"-XX:SharedArchiveFile={file}", "-Xshare:auto", "-Xlog:cds=off"]
    command = [python, "-m", _MODULE, "--java", str(java.path), str(folder)]
    return [f"-D{PROPERTY}={WORD_END.join(command)}"]


def make(folder: Path, java: Java, class_path: str, installed: Path = LIB) -> Path:
    """Make an archive in a folder, unless there is one, there or beside the jars; return its path.

    Several processes may do so at once: each makes its own, whole, and the last one stays.

    Raises:
        OperatorError: it cannot be made.
    """
    name = _name(java, class_path)
    if file := _there(name, installed, folder):
        return file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_others(folder, name)
        _remove_abandoned(folder, name)
        half = folder / f"{name}.{os.getpid()}"
        try:
            _dump(half, java, class_path)
            half.rename(folder / name)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        message = f"no archive of the daemon's classes can be made in {folder}: {error.strerror}"
        raise of_disk(error, message, _HINT) from error
    return folder / name


def _there(name: str, *folders: Path) -> Path | None:
    files = (folder / name for folder in folders)
    return next((file for file in files if file.exists()), None)


def _dump(half: Path, java: Java, class_path: str) -> None:
    command = [str(java.path), "-Xshare:dump", "-Xmx128m", "-Xlog:disable", "-Xlog:all=error"]
    command += [f"-XX:SharedClassListFile={CLASSES}", f"-XX:SharedArchiveFile={half}"]
    try:
        ran = subprocess.run(
            [*command, "-cp", class_path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            preexec_fn=_last_of_all,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"{java.path} -Xshare:dump took over {_SECONDS} s", _HINT) from error
    if ran.returncode or not half.exists():
        raise ConfigError(
            f"{java.path} -Xshare:dump ended with {ran.returncode}: {ran.stdout[-500:].strip()}",
            _HINT,
        )


def _last_of_all() -> None:
    """Beside a daemon it gets the CPU that is left, and where memory ends, it is what goes."""
    os.nice(19)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _remove_others(folder: Path, name: str) -> None:
    for other in folder.glob("classes-*.jsa*"):
        # Behind its own name stands the process that is making it.
        if not other.name.startswith(name):
            other.unlink(missing_ok=True)


def _remove_abandoned(folder: Path, name: str) -> None:
    """What a process left that was killed while it made one."""
    for half in folder.glob(f"{name}.*"):
        if not Path("/proc", half.suffix[1:]).exists():
            half.unlink(missing_ok=True)


def _name(java: Java, class_path: str) -> str:
    files = [java.path, CLASSES, *map(Path, class_path.split(os.pathsep))]
    key = hashlib.sha256("\n".join(map(_state, files)).encode()).hexdigest()[:8]
    return f"classes-{key}.jsa"


def _state(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return str(file)
    return f"{file} {found.st_size} {found.st_mtime_ns}"


def main() -> int:
    """Make one, and print its path."""
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}", description=main.__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=LIB, help="default: beside the jars"
    )
    parser.add_argument("--java", metavar="PATH", help="the daemon's (default: JAVA_HOME, PATH)")
    args = parser.parse_args()
    try:
        print(make(args.folder, find_java(args.java), daemon_class_path()))
    except OperatorError as error:
        print(f"Error: {error.message}\nTry: {error.hint}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())

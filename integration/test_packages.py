"""The packages, as strangers have them: built twice alike, tested where unpacked, tried alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from kcl_processor.launcher.jars import read_manifest

ROOT = Path(__file__).parents[1]
MINUTES = 15 * 60

pytestmark = [pytest.mark.drill, pytest.mark.timeout(MINUTES)]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MINUTES,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def build(kind: str, tree: Path, out: Path) -> Path:
    """Build as pip does, with the tools of this environment."""
    run(sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", out, tree, cwd=tree)
    (package,) = out.iterdir()
    return package


def unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(name="sdist", scope="module")
def _sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy of what git has, so that no other test sees the launcher built anew."""
    folder = tmp_path_factory.mktemp("tree")
    files = run("git", "ls-files", "-z", cwd=ROOT)
    copied = folder / "copy"
    for name in filter(None, files.split("\0")):
        (copied / name).parent.mkdir(parents=True, exist_ok=True)
        (copied / name).write_bytes((ROOT / name).read_bytes())
        (copied / name).chmod((ROOT / name).stat().st_mode)
    return build("--sdist", copied, folder / "sdist")


@pytest.fixture(name="unpacked", scope="module")
def _unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(sdist, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(name="wheel", scope="module")
def _wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("--wheel", unpacked, tmp_path_factory.mktemp("wheel"))


def test_two_builds_are_bit_identical(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    """Those of an unpacked archive, whatever the clock, are what it came from."""
    again = unpack(sdist, tmp_path / "again")
    assert digest(build("--sdist", again, tmp_path / "sdist")) == digest(sdist)
    assert digest(build("--wheel", again, tmp_path / "wheel")) == digest(wheel)


def test_the_wheel_holds_the_jars_their_texts_and_the_bill(wheel: Path) -> None:
    """And no tests."""
    names = set(zipfile.ZipFile(wheel).namelist())
    jars = {name.rpartition("/")[2] for name in names if name.endswith(".jar")}
    ours = {"kcl-processor-launcher.jar"}
    assert jars - ours == {jar.file_name for jar in read_manifest().of("runtime")}
    assert "kcl_processor/operate/page.html" in names
    said = {name.partition(".dist-info/")[2] for name in names}
    assert said >= {
        "licenses/LICENSE",
        "licenses/LICENSES/EPL-1.0.txt",
        "licenses/THIRD_PARTY.md",
        "sboms/kcl-processor.cdx.json",
    }
    assert not [name for name in names if name.startswith(("tests", "integration"))]


def test_the_tests_of_the_unpacked_sources_run(unpacked: Path, wheel: Path) -> None:
    """Those of all rooms that read files of the project beside the package's own."""
    assert wheel.exists(), "its launcher is built where it was unpacked"
    tests = ("launcher", "config", "test_docs.py", "test_rooms.py", "test_versions.py")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    out = run(
        *command, *(f"tests/{name}" for name in tests), cwd=unpacked, PYTHONPATH=str(unpacked)
    )
    assert " passed" in out and "failed" not in out


def test_an_installed_wheel_runs_the_demo_alone(wheel: Path, tmp_path: Path) -> None:
    """On a host without Java, away from the sources; both tables are equal at its end."""
    venv.create(tmp_path / "venv", with_pip=True)
    bin_folder = tmp_path / "venv" / "bin"
    run(bin_folder / "pip", "install", "-q", f"{wheel}[local,java]", cwd=tmp_path)
    bare = {"PATH": f"{bin_folder}:{_without_java(tmp_path / 'bin')}", "JAVA_HOME": ""}
    (tmp_path / "tmp").mkdir()
    out = run("kcl-processor", "demo", cwd=tmp_path, TMPDIR=str(tmp_path / "tmp"), **bare)
    assert "source and destination            equal" in out
    assert not list((tmp_path / "tmp").iterdir()), "nothing is left in the temporary folder"


def _without_java(folder: Path) -> Path:
    """A folder of all programs but Java's."""
    folder.mkdir()
    for place in ("/bin", "/usr/bin"):
        for program in Path(place).iterdir():
            link = folder / program.name
            if program.name != "java" and not link.exists():
                link.symlink_to(program)
    return folder

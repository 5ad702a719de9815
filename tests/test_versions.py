"""A version is named once: jars.json has the jars', setup.py the Python's, java.py the Java's."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions, requires
from pathlib import Path

from kcl_processor.launcher.jars import kclpy_jars, read_manifest
from kcl_processor.launcher.java import OLDEST, TESTED

ROOT = Path(__file__).parents[1]
MANIFEST = read_manifest()
KCLPY = f"amazon-kclpy=={MANIFEST.kclpy.version}"


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def sources() -> dict[str, str]:
    """Every text of the project but the manifest itself, by its path."""
    here = {"deploy", "kcl_processor", "integration", "scripts", "tests", "properties"}
    ends = {
        ".py",
        ".java",
        ".xml",
        ".md",
        ".toml",
        ".in",
        ".yml",
        ".yaml",
        ".tf",
        ".properties",
        "",
    }
    paths = [path for folder in here for path in (ROOT / folder).rglob("*")]
    paths += [ROOT / name for name in ("README.md", "setup.py", "pyproject.toml", "MANIFEST.in")]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in paths
        if path.is_file() and path.suffix in ends and "__pycache__" not in path.parts
    }


SOURCES = sources()
# boto3 pins its botocore, whose HTTP sessions are urllib3's; amazon-kclpy brings its samples.
PART_OF_ANOTHER = {"botocore": "boto3", "urllib3": "boto3", "samples": "amazon-kclpy"}
# What pip does before it builds; setuptools says on stdout what it does meanwhile.
BACKEND = """
import contextlib, io
from setuptools import build_meta
with contextlib.redirect_stdout(io.StringIO()):
    needs = build_meta.get_requires_for_build_wheel()
print(*needs, sep="\\n")
"""


def imported() -> set[str]:
    """The names that the package's modules import, beside Python's own and its own."""
    found: set[str] = set()
    for path in (ROOT / "kcl_processor").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - {"kcl_processor"} - sys.stdlib_module_names


def test_what_is_imported_is_required_with_a_floor() -> None:
    """By the package itself, or by one of its extras; what came with another package alone could
    be gone, or another, with the next release of that."""
    floors = {
        re.split(r"[=<>~\[; ]", need)[0].lower(): re.search(r"[=>]=\d", need) is not None
        for need in requires("kcl-processor") or []
    }
    owners = packages_distributions()
    names = imported() - PART_OF_ANOTHER.keys()
    # What an extra brings may not be here, and then goes by its own name.
    wanted = {owners.get(name, [name])[0].lower().replace("_", "-") for name in names}
    assert {name for name in wanted if not floors.get(name)} == set()


def test_a_build_asks_for_the_manifests_amazon_kclpy() -> None:
    """A build frontend, which knows pyproject.toml alone, learns it from the build backend."""
    asked = subprocess.run(
        [sys.executable, "-c", BACKEND], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert KCLPY in asked
    assert any(need.startswith("jgo") for need in asked)


def test_the_package_requires_the_manifests_amazon_kclpy() -> None:
    """The wheel's own metadata."""
    assert KCLPY in (requires("kcl-processor") or [])


def test_no_text_names_a_version_of_the_manifest() -> None:
    """Requirements are made of the manifest, and who needs a jar asks it for the file's name."""
    named = [re.escape(jar.file_name) for jar in MANIFEST.jars]
    pin = re.compile("|".join([*named, r"amazon[-_]kclpy\s*[=~<>]=\s*\d"]))
    assert [path for path, said in SOURCES.items() if pin.search(said)] == []


def test_what_was_read_in_the_kcl_was_read_in_the_kcl_that_runs() -> None:
    """A comment that rests on a release of the KCL is looked at again when that is another."""
    jars = "\n".join(placed.path.name for placed in kclpy_jars(MANIFEST))
    (release,) = re.findall(r"^amazon-kinesis-client-(\d+\.\d+\.\d+)\.jar", jars, re.MULTILINE)
    of_its_kind = re.compile(rf"\bKCL ({release.partition('.')[0]}\.\d+\.\d+)")
    named = {path: set(of_its_kind.findall(said)) for path, said in SOURCES.items()}
    assert {path for path, found in named.items() if found - {release}} == set()
    assert named["kcl_processor/fleet/leases.py"] == {release}


def test_the_oldest_python_is_setup_pys_everywhere() -> None:
    """What ruff and mypy check for, setup-venv looks for and the README promises."""
    promised = metadata("kcl-processor")["Requires-Python"]
    major, minor = re.fullmatch(r">=(\d+)\.(\d+)", promised).groups()  # type: ignore[union-attr]
    oldest = f"{major}.{minor}"
    project = tomllib.loads(text("pyproject.toml"))["tool"]
    assert project["ruff"]["target-version"] == f"py{major}{minor}"
    assert project["mypy"]["python_version"] == oldest
    assert f"Python {oldest} or later" in text("README.md")
    assert f"needs Python {oldest} and" in text("scripts/test")
    assert f"sys.version_info < ({major}, {minor})" in text("scripts/setup-venv")
    assert f"no Python {oldest} or later" in text("scripts/setup-venv")


def test_setup_venv_looks_for_the_pythons_that_are_promised() -> None:
    """Newest first."""
    listed = metadata("kcl-processor").get_all("Classifier") or []
    promised = re.findall(r"Python :: (\d+\.\d+)", "\n".join(listed))
    (sought,) = re.findall(r"for python in \S+ (.*); do", text("scripts/setup-venv"))
    assert sought.split() == [f"python{version}" for version in reversed(promised)]


def test_the_readme_promises_the_javas_that_are_accepted() -> None:
    """From the oldest on; and it names those that were tried."""
    assert f"any Java from {OLDEST} on" in text("README.md")
    assert f"on Java {' and '.join(map(str, TESTED))}." in text("README.md")

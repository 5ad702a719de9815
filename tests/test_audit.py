"""The lock, and the look for known weaknesses in a copy of the OSV's advisories."""

from __future__ import annotations

import itertools
import json
import re
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kcl_processor.launcher.jars import read_manifest
from tests.readme import ROOT

LOCK = (ROOT / "properties" / "requirements.lock").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", LOCK, re.MULTILINE))
EXTRAS = ("java", "local", "prometheus")
MANIFEST = read_manifest()
NETTY = next(jar for jar in MANIFEST.jars if jar.artifact == "netty-handler")
JACKSON = next(jar for jar in MANIFEST.jars if jar.artifact == "jackson-databind")
FIXED_ONE, FIXED_TWO = "9999.1", "9999.2"


@pytest.fixture(name="audit")
def _audit(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import advisories

    return advisories


def advisory(name: str, ecosystem: str, *events: dict[str, str], **more: object) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}]
    package = {"ecosystem": ecosystem, "name": name}
    affected = {"package": package, "ranges": ranges, **more}
    return {"id": f"GHSA-{name}", "summary": f"about {name}", "affected": [affected]}


def archive(folder: Path, *known: dict[str, Any]) -> Path:
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as written:
        for each in known:
            written.writestr(f"{each['id'].replace(':', '_')}.json", json.dumps(each))
    return path


PYPI = advisory("no-such-package", "PyPI", {"introduced": "0"})
MAVEN = advisory("no.such:jar", "Maven", {"introduced": "0"})


def wanted(need: Requirement) -> bool:
    environments = [{"extra": extra} for extra in ("", *EXTRAS)]
    return need.marker is None or any(need.marker.evaluate(each) for each in environments)


def test_the_lock_pins_and_hashes_all_that_a_host_installs() -> None:
    """What setup.py asks for, and what that asks for in turn, as installed here."""
    left, seen = ["kcl-processor"], set[str]()
    while left:
        try:
            needs = [Requirement(need) for need in requires(left.pop()) or []]
        except PackageNotFoundError:
            continue
        named = {canonicalize_name(need.name): need for need in needs if wanted(need)}
        assert named.keys() <= PINS.keys()
        assert all(need.specifier.contains(PINS[name]) for name, need in named.items())
        left += sorted(named.keys() - seen)
        seen |= named.keys()
    assert PINS["amazon-kclpy"] == MANIFEST.kclpy.version == version("amazon-kclpy")
    entries = re.findall(r"^[a-z0-9-]+==.*\\\n(?:    --hash=sha256:[0-9a-f]{64}.*\n)+", LOCK, re.M)
    assert len(entries) == len(PINS)


def test_a_weak_jar_and_a_weak_package_are_found(
    audit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name and version, with where it is mended; the exit code says that there are some."""
    jar = f"{NETTY.group}:{NETTY.artifact}"
    weak = advisory(jar, "Maven", {"introduced": "4.2.0"}, {"fixed": FIXED_ONE})
    listed = advisory("boto3", "PyPI", versions=[PINS["boto3"]])
    assert audit.main([str(archive(tmp_path, weak, listed))]) == 1
    out = capsys.readouterr().out
    assert f"GHSA-{jar}  {jar} {NETTY.version}  fixed in {FIXED_ONE}" in out
    assert f"GHSA-boto3  boto3 {PINS['boto3']}  fixed in -" in out


def test_what_is_about_other_versions_is_none(audit: Any, tmp_path: Path) -> None:
    """Mended before, begun after, withdrawn, or about another package."""
    jar = f"{NETTY.group}:{NETTY.artifact}"
    mended = advisory(jar, "Maven", {"introduced": "0"}, {"fixed": NETTY.version})
    later = advisory(jar, "Maven", {"introduced": FIXED_ONE}, {"fixed": FIXED_TWO})
    past = advisory(jar, "Maven", {"introduced": "0"}, {"last_affected": "4.1.100.Final"})
    taken_back = {**advisory("boto3", "PyPI", {"introduced": "0"}), "withdrawn": "2026-01-01"}
    for number, known in enumerate([mended, later, past, taken_back, PYPI, MAVEN]):
        (tmp_path / f"{number}.json").write_text(json.dumps(known))
    assert audit.main([str(tmp_path)]) == 0


def test_of_several_spans_the_one_around_the_version_counts(audit: Any, tmp_path: Path) -> None:
    """A line of releases mended, and a later one weak again; an unpacked folder serves, too."""
    spans = ({"introduced": "0"}, {"fixed": "2.10"}, {"introduced": "2.18.0"}, {"fixed": FIXED_ONE})
    jackson = advisory(f"{JACKSON.group}:{JACKSON.artifact}", "Maven", *spans)
    (tmp_path / "one.json").write_text(json.dumps(jackson))
    (tmp_path / "two.json").write_text(json.dumps(PYPI))
    assert audit.main([str(tmp_path)]) == 1


@pytest.mark.parametrize("known", [PYPI, MAVEN])
def test_half_the_advisories_are_no_answer(
    audit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], known: dict[str, Any]
) -> None:
    """Nothing found because nothing was looked at would pass for safe."""
    assert audit.main([str(archive(tmp_path, known))]) == 2
    assert "its parts were not looked at" in capsys.readouterr().err


def test_what_is_no_archive_is_told(
    audit: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A download that failed leaves such a file."""
    (tmp_path / "all.zip").write_text("<html>")
    assert audit.main([str(tmp_path / "all.zip")]) == 2
    assert "Error: the advisories cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "ascending",
    [
        ["4.2.7.Final", "4.2.10.Final", "4.2.19", "4.3.0.Alpha1", "4.3.0.RC1", "4.3.0"],
        ["1.0-alpha-2", "1.0-beta", "1.0-rc1", "1.0-SNAPSHOT", "1.0", "1.0-sp", "1.0.1"],
        ["31.1-jre", "32.0.0-android", "32.1.1-jre"],
    ],
)
def test_versions_of_jars_are_ordered_as_maven_orders_them(
    audit: Any, ascending: list[str]
) -> None:
    """Numbers as numbers, and what is before a release before it."""
    keys = [audit.maven_key(version) for version in ascending]
    assert all(earlier < later for earlier, later in itertools.pairwise(keys))
    assert audit.maven_key("4.2.0.Final") == audit.maven_key("4.2")

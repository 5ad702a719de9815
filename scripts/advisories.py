#!/usr/bin/env python3
"""Look for what this project brings in a copy of the OSV's advisories; asks no network.

    scripts/audit PyPI.zip Maven.zip

Looked at are the jars of the daemon's class path, as ``jars.json`` has them, and the packages of
``properties/requirements.lock``. The OSV publishes one archive an ecosystem, which is fetched
where there is a network and carried to where there is none. A zip or an unpacked folder will do.
Format: https://ossf.github.io/osv-schema/.

Exit codes: 0 nothing known, 1 something, 2 the advisories do not serve.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from kcl_processor.launcher.jars import Manifest, read_manifest

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "properties" / "requirements.lock"
# Maven's qualifiers in their order; the plain release is 0 ("ComparableVersion" in Maven).
_BEFORE = (("alpha", "a"), ("beta", "b"), ("milestone", "m"), ("rc", "cr"), ("snapshot",))
_QUALIFIERS = {word: rank - len(_BEFORE) for rank, same in enumerate(_BEFORE) for word in same}
_QUALIFIERS |= {"final": 0, "ga": 0, "release": 0, "sp": 1}
_RELEASE = (1, 0, "")
# No version has as many parts.
_PARTS = 16


class Part(NamedTuple):
    """One thing that could have an advisory, as the OSV names it."""

    ecosystem: str
    name: str
    version: str


class Finding(NamedTuple):
    """An advisory, and the part that it is about."""

    part: Part
    identity: str
    fixed: str
    summary: str


def parts(manifest: Manifest, lock: str) -> list[Part]:
    """Everything that an installation loads: the daemon's jars, and the locked packages."""
    jars = [*manifest.of("runtime"), *manifest.of("kclpy")]
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    return [
        *(Part("Maven", f"{jar.group}:{jar.artifact}", jar.version) for jar in jars),
        *(Part("PyPI", name, version) for name, version in pins),
    ]


def advisories(path: Path) -> Iterator[dict[str, Any]]:
    """Each advisory of a zip, or of a folder.

    Raises:
        OSError, zipfile.BadZipFile, ValueError: it is neither, or holds what is no JSON.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield json.loads(file.read_bytes())
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def findings(known: Iterable[dict[str, Any]], looked_at: list[Part]) -> Iterator[Finding]:
    """Each advisory that is about one of the parts in its version."""
    by_name = {(part.ecosystem, part.name): part for part in looked_at}
    for advisory in known:
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            part = by_name.get((package.get("ecosystem"), package.get("name")))
            if part and not advisory.get("withdrawn") and _holds(affected, part):
                fixed = ", ".join(_fixes(affected)) or "-"
                yield Finding(part, advisory["id"], fixed, advisory.get("summary", ""))


def _holds(affected: dict[str, Any], part: Part) -> bool:
    if part.version in affected.get("versions", ()):
        return True
    key = _python_key if part.ecosystem == "PyPI" else maven_key
    ranges = (span for span in affected.get("ranges", ()) if span["type"] == "ECOSYSTEM")
    return any(_within(span["events"], part.version, key) for span in ranges)


def _within(events: list[dict[str, str]], version: str, key: Callable[[str], Any]) -> bool:
    """Whether the events up to a version leave it affected."""
    here, inside = key(version), False
    for event in sorted(events, key=lambda event: _at(event, key)):
        ((kind, bound),) = event.items()
        if kind == "introduced" and (bound == "0" or key(bound) <= here):
            inside = True
        elif kind == "fixed":
            inside = inside and here < key(bound)
        elif kind == "last_affected":
            inside = inside and here <= key(bound)
    return inside


def _at(event: dict[str, str], key: Callable[[str], Any]) -> Any:
    ((_, bound),) = event.items()
    return (0,) if bound == "0" else (1, key(bound))


def _fixes(affected: dict[str, Any]) -> list[str]:
    events = [event for span in affected.get("ranges", ()) for event in span["events"]]
    return [event["fixed"] for event in events if "fixed" in event]


def _python_key(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")


def maven_key(version: str) -> list[tuple[int, int, str]]:
    """A version as Maven compares it: what one has more is compared with the plain release."""
    key = [_token(token) for token in re.findall(r"\d+|[a-z]+", version.lower())]
    return key + [_RELEASE] * (_PARTS - len(key))


def _token(token: str) -> tuple[int, int, str]:
    if token.isdigit():
        return (2, int(token), "") if int(token) else _RELEASE
    rank = _QUALIFIERS.get(token)
    if rank is None:
        return (1, 2, token)
    return (0, rank, "") if rank < 0 else (1, rank, "")


def main(arguments: list[str] | None = None) -> int:
    """Print each finding; return the exit code."""
    parser = argparse.ArgumentParser(description="Look for known weaknesses, offline.")
    parser.add_argument("advisories", nargs="+", type=Path, help="the OSV's zip, or a folder of it")
    args = parser.parse_args(arguments)
    looked_at = parts(read_manifest(), LOCK.read_text(encoding="utf-8"))
    try:
        known = [advisory for path in args.advisories for advisory in advisories(path)]
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        return _no_use(f"the advisories cannot be read: {error}")
    told = {
        affected.get("package", {}).get("ecosystem")
        for advisory in known
        for affected in advisory.get("affected", ())
    }
    if missing := sorted({part.ecosystem for part in looked_at} - told):
        return _no_use(f"no advisory is about {' or '.join(missing)}: its parts were not looked at")
    found = sorted(set(findings(known, looked_at)))
    for finding in found:
        part = finding.part
        print(f"{finding.identity}  {part.name} {part.version}  fixed in {finding.fixed}")
        print(f"    {finding.summary}")
    print(
        f"{len(looked_at)} parts, {len(known)} advisories, {len(found)} findings", file=sys.stderr
    )
    return 1 if found else 0


def _no_use(message: str) -> int:
    print(f"Error: {message}", file=sys.stderr)
    print("Try: the OSV's all.zip of PyPI and of Maven", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

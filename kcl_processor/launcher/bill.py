"""What a wheel carries and asks for: its bill of materials, and the notices of others' work.

The bill is CycloneDX 1.6 and lies in the wheel's ``.dist-info/sboms`` (PEP 770), where scanners
look. It is made of ``jars.json`` and of ``setup.py``'s requirements alone, and holds no date: one
tree gives one bill.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from kcl_processor.launcher.jars import Jar, Manifest

FILE_NAME = "kcl-processor.cdx.json"
LICENSE = "Apache-2.0"
# Licences whose text a jar need not carry itself: file of the wheel that has it.
TEXTS = {LICENSE: "LICENSE", "EPL-1.0 OR LGPL-2.1-only": "LICENSES/EPL-1.0.txt"}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "kcl-processor")
_KCLPY = "amazon-kclpy"
_NOTICES = """\
# What the wheel carries of others

The jars under `kcl_processor/launcher/lib`, unchanged, as their projects published them. Each keeps
the license and notice files that it came with, under its `META-INF`; `LICENSE` is the text of
Apache-2.0 for those that have none inside, and `LICENSES/EPL-1.0.txt` that of logback, of whose two
licences this distribution takes the EPL. Its sources, like those of every other jar here, are the
`-sources` artifact of the same coordinates in the Maven repository. The jars that amazon-kclpy
brings are not in the wheel; its bill of materials names them, too.

jackson-core also holds FastDoubleParser and Schubfach (MIT; BSD-2-Clause in part), and netty-common
JCTools (Apache-2.0).

| group | artifact | version | licence |
|---|---|---|---|
"""


def bill(name: str, version: str, requirements: Iterable[str], manifest: Manifest) -> str:
    """Return the bill of materials as JSON: jars of the wheel, what pip installs, and its jars.

    Requirements are as in ``install_requires``. One that names no version stands without one, with
    what it asks for as a property: which is installed, only the installation knows.
    """
    packages = {_package_name(need): _package(need) for need in sorted(requirements)}
    within = {_maven(jar): _jar(jar) for jar in carried(manifest)}
    brought = {_maven(jar): _jar(jar) for jar in manifest.of("kclpy")}
    itself = _itself(name, version)
    kclpy = packages[_KCLPY]["bom-ref"]
    links = {
        itself["bom-ref"]: [*within, *(package["bom-ref"] for package in packages.values())],
        kclpy: list(brought),
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": {"component": itself},
        "components": [*within.values(), *packages.values(), *brought.values()],
        "dependencies": [{"ref": ref, "dependsOn": sorted(on)} for ref, on in links.items()],
    }
    # A serial number belongs to what the bill says, and not to the moment that it was made.
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(document))}"
    return json.dumps(document, indent=1) + "\n"


def notices(manifest: Manifest) -> str:
    """Return the page of third parties' notices."""
    rows = sorted((jar.group, jar.artifact, jar.version, jar.license) for jar in carried(manifest))
    return _NOTICES + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def carried(manifest: Manifest) -> list[Jar]:
    """Return the jars that the wheel holds, beside the launcher's own."""
    return manifest.of("runtime")


def _itself(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    licences = [{"license": {"id": LICENSE}}]
    return {
        "type": "application",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "licenses": licences,
        "purl": purl,
    }


def _jar(jar: Jar) -> dict[str, Any]:
    purl = _maven(jar)
    return {
        "type": "library",
        "bom-ref": purl,
        "group": jar.group,
        "name": jar.artifact,
        "version": jar.version,
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": jar.sha256}],
        "licenses": [{"expression": jar.license}],
        "purl": purl,
    }


def _maven(jar: Jar) -> str:
    return f"pkg:maven/{jar.group}/{jar.artifact}@{jar.version}?type=jar"


def _package(need: str) -> dict[str, Any]:
    name = _package_name(need)
    pinned = re.fullmatch(r"[^=<>~!]+==([^,;]+)", need)
    purl = f"pkg:pypi/{name}" + (f"@{pinned[1]}" if pinned else "")
    found = {"type": "library", "bom-ref": purl, "name": name, "scope": "required", "purl": purl}
    if pinned:
        return {**found, "version": pinned[1]}
    return {**found, "properties": [{"name": "kcl-processor:requirement", "value": need}]}


def _package_name(need: str) -> str:
    # A package URL has PyPI's names in lower case, with hyphens.
    return re.split(r"[=<>~!\[; ]", need)[0].lower().replace("_", "-")

"""The bill of materials and the notices: every jar with its licence, and one tree, one bill."""

from __future__ import annotations

import json
import re
import zipfile
from importlib.metadata import distribution, requires, version
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from kcl_processor.launcher.bill import FILE_NAME, TEXTS, bill, carried, notices
from kcl_processor.launcher.jars import LAUNCHER_JAR, LIB, Placed, daemon_jars, read_manifest
from tests.readme import ROOT

MANIFEST = read_manifest()
REQUIRES = [need for need in requires("kcl-processor") or [] if "extra ==" not in need]
BILL = bill("kcl-processor", version("kcl-processor"), REQUIRES, MANIFEST)
# What a jar says of its licence, and what that is in SPDX's words.
SAID = {
    r"Apache License|Apache 2\.0|apache\.org/licenses/LICENSE-2\.0|apache2\.0$": "Apache-2.0",
    r"eclipse\.org/legal/epl-v10.*gnu\.org/licenses/old-licenses/lgpl-2\.1": (
        "EPL-1.0 OR LGPL-2.1-only"
    ),
    r"BSD-3-Clause": "BSD-3-Clause",
    r"mit-license|^MIT$": "MIT",
}
# These say nothing inside; this is what their projects' poms say.
POM = {
    "amazon-kinesis-client-multilang": "Apache-2.0",
    "animal-sniffer-annotations": "MIT",
    "jcommander": "Apache-2.0",
    "reactive-streams": "CC0-1.0",
}


def parsed() -> dict[str, Any]:
    return dict(json.loads(BILL))


def own_word(placed: Placed) -> str:
    """What a jar says of its licence: in its manifest, its pom, or the head of its text."""
    with zipfile.ZipFile(placed.path) as jar:
        names = jar.namelist()
        read = {name: jar.read(name).decode() for name in names if _tells(name)}
    manifest = read.get("META-INF/MANIFEST.MF", "").replace("\r", "").replace("\n ", "")
    if stated := re.findall(r"^Bundle-License: (.*)$", manifest, re.MULTILINE):
        return str(stated[0])
    poms = " ".join(text for name, text in read.items() if name.endswith("pom.xml"))
    if blocks := re.findall(r"<license>(.*?)</license>", poms, re.DOTALL):
        return " ".join(blocks)
    texts = [text[:400] for name, text in sorted(read.items()) if "LICENSE" in name]
    return texts[0] if texts else ""


def _tells(name: str) -> bool:
    return name == "META-INF/MANIFEST.MF" or bool(
        re.fullmatch(r"META-INF/(maven/.*/pom\.xml|LICENSE(\.txt)?)", name)
    )


@pytest.mark.parametrize("placed", daemon_jars(), ids=lambda placed: placed.jar.artifact)
def test_a_jars_licence_is_what_the_jar_says(placed: Placed) -> None:
    """The manifest names each jar's, and no other than the jar itself."""
    said = own_word(placed)
    found = {licence for words, licence in SAID.items() if re.search(words, said)}
    assert (found or {POM[placed.jar.artifact]}) == {placed.jar.license}
    assert not (found and placed.jar.artifact in POM)


def test_the_bill_is_valid_cyclonedx() -> None:
    """By the standard's own schema, with no field that it does not know."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(BILL) is None


def test_the_bill_names_every_jar_of_the_class_path_and_every_requirement() -> None:
    """Each once, a jar with its checksum and licence; nothing beside them."""
    parts = parsed()["components"]
    jars = {part["name"]: part for part in parts if part["purl"].startswith("pkg:maven")}
    assert {name: part["hashes"][0]["content"] for name, part in jars.items()} == {
        placed.jar.artifact: placed.jar.sha256 for placed in daemon_jars()
    }
    assert all(part["licenses"][0]["expression"] for part in jars.values())
    packages = {part["name"] for part in parts if part["purl"].startswith("pkg:pypi")}
    assert packages == {re.split("[=>]", need)[0].lower() for need in REQUIRES}
    assert len(jars) + len(packages) == len(parts)


def test_the_bill_tells_what_the_wheel_holds_from_what_amazon_kclpy_brings() -> None:
    """By who depends on it."""
    by_ref = {part["bom-ref"]: part for part in parsed()["components"]}
    itself, kclpy = (set(link["dependsOn"]) for link in parsed()["dependencies"])
    within = {by_ref[ref]["name"] for ref in itself if ref.startswith("pkg:maven")}
    assert within == {jar.artifact for jar in carried(MANIFEST)}
    assert len(kclpy) == len(MANIFEST.of("kclpy"))
    assert itself | kclpy == by_ref.keys()


def test_one_tree_gives_one_bill() -> None:
    """And another requirement another serial number."""
    again = bill("kcl-processor", version("kcl-processor"), reversed(REQUIRES), MANIFEST)
    assert again == BILL
    other = bill("kcl-processor", version("kcl-processor"), [*REQUIRES, "more>=1"], MANIFEST)
    assert json.loads(other)["serialNumber"] != parsed()["serialNumber"]


def test_an_installation_has_its_bill() -> None:
    """Where scanners look."""
    assert distribution("kcl-processor").read_text(f"sboms/{FILE_NAME}") == BILL


def test_the_wheel_carries_no_jar_without_its_licences_text() -> None:
    """The launcher's own jar is under the project's."""
    built = {path.name for path in LIB.glob("*.jar")} - {LAUNCHER_JAR.name}
    assert built == {jar.file_name for jar in carried(MANIFEST)}
    for jar in carried(MANIFEST):
        assert f"| {jar.artifact} | {jar.version} | {jar.license} |" in notices(MANIFEST)
        text = (ROOT / TEXTS[jar.license]).read_text(encoding="utf-8")
        assert {"LICENSE": "Apache License", "LICENSES/EPL-1.0.txt": "Eclipse Public License"}[
            TEXTS[jar.license]
        ] in text

"""What the package index shows of the project."""

from __future__ import annotations

import re
from importlib.metadata import metadata

from tests.readme import PAGES, ROOT

METADATA = metadata("kcl-processor")


def test_links_of_the_readme_hold_on_the_package_index() -> None:
    """A relative one would lead to a page of the index; each leads to a file of the project."""
    text = str(METADATA["Description"] or METADATA.get_payload())  # type: ignore[attr-defined]
    home = METADATA.get_all("Project-URL") or []
    (source,) = (line.partition(", ")[2] for line in home if line.startswith("Source, "))
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) == len(re.findall(r"\]\(([^)]+)\)", PAGES["README.md"]))
    assert all(target.startswith("https://") for target in targets)
    ours = [target.removeprefix(f"{source}/blob/main/") for target in targets if source in target]
    assert len(ours) > 10
    assert all((ROOT / path.partition("#")[0]).is_file() for path in ours)


def test_the_metadata_say_what_is_true() -> None:
    """The licence in SPDX's words with its texts, the system it runs on, who is asked for what."""
    assert METADATA["License-Expression"] == "Apache-2.0"
    files = METADATA.get_all("License-File") or []
    assert set(files) == {"LICENSE", "LICENSES/EPL-1.0.txt", "THIRD_PARTY.md"}
    systems = [name for name in METADATA.get_all("Classifier") or [] if "Operating" in name]
    assert systems == ["Operating System :: POSIX :: Linux"]
    extras = set(METADATA.get_all("Provides-Extra") or [])
    assert extras == {"bench", "java", "local", "otlp", "prometheus", "test"}

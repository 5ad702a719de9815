"""What `scripts/bench` makes of its figures."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from integration.bench import report
from integration.bench.many import OVER_SHARDS
from integration.bench.runs import spread

_OURS = [dict.fromkeys(OVER_SHARDS, 10.0), dict.fromkeys(OVER_SHARDS, 20.0)]
_FAILED: list[dict[str, float]] = []
_OVER = {
    32: {"ours": spread(_OURS), "other": spread(_FAILED)},
    8: {"ours": spread(_OURS), "other": spread(_OURS[:1])},
}


def test_a_line_leaves_out_where_its_subject_failed() -> None:
    """A curve has a point for each number of shards that came in, in order."""
    lines = report.series(_OVER, OVER_SHARDS[0])
    assert {name: list(line) for name, line in lines.items()} == {"ours": [8, 32], "other": [8]}
    assert lines["ours"][32].median == 15.0


def test_the_curve_is_an_svg_that_names_figures_and_subjects(tmp_path: Path) -> None:
    """Its text is text, and the same figures are the same file."""
    pytest.importorskip("matplotlib", reason="it draws, and comes with the extra `bench`")
    files = [tmp_path / "1" / "shards.svg", tmp_path / "2" / "shards.svg"]
    for file in files:
        file.parent.mkdir()
        report.curves(_OVER, OVER_SHARDS, file)
    text = "".join(ElementTree.parse(files[0]).getroot().itertext())
    assert [word for word in (*OVER_SHARDS, "ours", "other", "shards") if word not in text] == []
    assert files[0].read_bytes() == files[1].read_bytes()

"""YAML, key by key: every complaint has its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.config.form import whole
from kcl_processor.config.yaml_section import Section, nearest, read_yaml
from kcl_processor.errors import ConfigError

TEXT = """\
name: orders
kcl:
  properties:
    failover: 7
    quick: yes
"""


@pytest.fixture
def section(tmp_path: Path) -> Section:
    """The whole of a small file."""
    path = tmp_path / "tasks.yml"
    path.write_text(TEXT)
    return read_yaml(path)


def test_values_come_in_the_type_that_is_asked_for(section: Section) -> None:
    """What is not there has its default."""
    properties = section.section("kcl").section("properties")
    assert section.required_text("name") == "orders"
    assert properties.integer("failover", 1, whole(1, 10)) == 7
    assert properties.integer("missing", 1, whole(1, 10)) == 1
    assert properties.flag("quick", default=False) is True
    assert properties.flag("missing", default=True) is True
    assert properties.choice("missing", "stop", "continue") == "stop"
    properties.finish()


def test_a_complaint_names_file_line_and_the_whole_key(section: Section) -> None:
    """However deep it lies."""
    properties = section.section("kcl").section("properties")
    with pytest.raises(ConfigError, match=r"tasks\.yml:4: kcl\.properties\.failover: '7' is not"):
        properties.integer("failover", 1, whole(1, 6))
    with pytest.raises(ConfigError, match=r"tasks\.yml:5: kcl\.properties\.quick: .* not known"):
        properties.finish()
    with pytest.raises(ConfigError, match=r"tasks\.yml:2: kcl\.missing: missing is missing"):
        section.section("kcl").required_text("missing")


def test_a_list_holds_sections_with_lines_of_their_own(tmp_path: Path) -> None:
    """None where there is no list; and a text is no list."""
    path = tmp_path / "tasks.yml"
    path.write_text("roles:\n  - {arn: a}\n  - arn: b\n    id: x\nname: orders\n")
    file = read_yaml(path)
    one, two = file.sections("roles")
    assert (one.required_text("arn"), two.required_text("arn")) == ("a", "b")
    with pytest.raises(ConfigError, match=r"tasks\.yml:4: .*roles\[1\]\.id: .* not known"):
        two.finish()
    assert file.sections("missing") == []
    with pytest.raises(ConfigError, match=r"tasks\.yml:5:7: .*name: a list is wanted"):
        file.sections("name")
    assert (file.is_section("name"), file.is_section("missing")) == (False, False)


def test_the_nearest_word_is_offered() -> None:
    """Where one is near enough."""
    assert nearest("regoin", ["table", "region"]) == "region"
    assert nearest("zzz", ["table", "region"]) == ""

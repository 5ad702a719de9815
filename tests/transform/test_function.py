"""A rule in Python, found by its name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.transform import function
from kcl_processor.transform.function import ItemChange, find, source_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on Python's path, with nothing found in it yet."""
    monkeypatch.syspath_prepend(tmp_path)
    function._found.cache_clear()
    return tmp_path


def module(folder: Path, name: str, text: str) -> None:
    """Write one; its name is no other test's, for Python keeps what it has imported."""
    path = folder / f"{name.replace('.', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_function_is_found_by_its_name(folder: Path) -> None:
    """In a module of a package, and within a class."""
    text = (
        "def keep(change):\n    return change.new\n\nclass Rules:\n    keep = staticmethod(keep)\n"
    )
    module(folder, "rules_found.orders", text)
    change = ItemChange({"id": "a"}, {"id": "a", "n": 1})
    for name in ("rules_found.orders:keep", "rules_found.orders:Rules.keep"):
        assert find(name)(change) == {"id": "a", "n": 1}


def test_the_source_is_that_of_what_runs(folder: Path) -> None:
    """A change of the file counts from the next start on."""
    module(folder, "rules_source", "def keep(change): return change.new\n")
    find("rules_source:keep")
    module(folder, "rules_source", "def keep(change): return None\n")
    assert source_of("rules_source:keep") == b"def keep(change): return change.new\n"


def test_the_source_of_a_function_that_a_package_hands_on_is_where_it_comes_from(
    folder: Path,
) -> None:
    """A change of it is one there."""
    package, home = "from rules_handed.home import keep\n", "def keep(change): ...\n"
    module(folder, "rules_handed.home", home)
    module(folder, "rules_handed.__init__", package)
    assert source_of("rules_handed:keep") == (package + home).encode()


def test_what_a_module_prints_is_no_result(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a command, whose result is its stdout."""
    module(folder, "rules_print", "print('imported')\ndef keep(change): ...\n")
    find("rules_print:keep")
    assert capsys.readouterr() == ("", "imported\n")


def test_a_module_is_read_once(folder: Path) -> None:
    """Whoever asks."""
    module(
        folder,
        "rules_once",
        "import sys\nsys.rules_read = getattr(sys, 'rules_read', 0) + 1\ndef keep(change): ...\n",
    )
    first, again = find("rules_once:keep"), find("rules_once:keep")
    assert first is again
    assert sys.rules_read == 1  # type: ignore[attr-defined]


def test_of_a_builtin_there_is_no_source() -> None:
    """It is Python's."""
    assert source_of("sys:intern") == b""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rules_of_nobody:keep", "the module 'rules_of_nobody' cannot be imported"),
        ("rules_broken:keep", "the module 'rules_broken' cannot be imported: SyntaxError"),
        ("rules_ending:keep", "the module 'rules_ending' cannot be imported: SystemExit"),
        ("rules_empty:keep", "the module 'rules_empty' has no function 'keep'"),
        ("rules_empty:LIMIT", "the module 'rules_empty' has no function 'LIMIT'"),
        ("rules_empty", "'rules_empty' is not of the form module:function"),
        ("rules_empty.py:keep()", "is not of the form module:function"),
        (":keep", "is not of the form module:function"),
    ],
)
def test_what_cannot_be_found_is_told(folder: Path, name: str, said: str) -> None:
    """With the module's name, and where it is looked for."""
    module(folder, "rules_broken", "def keep(change:\n")
    module(folder, "rules_ending", "raise SystemExit(3)\n")
    module(folder, "rules_empty", "LIMIT = 3\n")
    with pytest.raises(ConfigError) as refused:
        find(name)
    assert said in refused.value.message
    if "imported" in said:
        assert "Python's path" in refused.value.message
        assert "PYTHONPATH" in refused.value.hint


def test_what_was_not_found_is_looked_for_again(folder: Path) -> None:
    """Who mends it need not start anew."""
    with pytest.raises(ConfigError):
        find("rules_late:keep")
    module(folder, "rules_late", "def keep(change): return change.new\n")
    importlib.invalidate_caches()
    assert find("rules_late:keep")(ItemChange({}, {"id": 1})) == {"id": 1}

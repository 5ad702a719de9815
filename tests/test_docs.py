"""The documents say what the product does: help texts, exit codes, examples."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from kcl_processor.cli import COMMANDS
from kcl_processor.errors import MEANINGS, ExitCode
from kcl_processor.operate.uneven import UNEVEN
from tests import readme
from tests.aws_settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = readme.README


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse words its help anew in 3.13")
def test_the_readme_shows_the_help_of_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """scripts/update_readme.py would change nothing."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import update_readme

    assert update_readme.with_help(README) == README


def test_the_readme_lists_every_exit_code() -> None:
    """The table of exit codes is complete, but for those of `status` alone."""
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert listed == {int(code) for code in ExitCode} - {ExitCode.NOT_RUNNING, ExitCode.UNKNOWN}


def test_the_readme_and_the_product_say_the_same_of_each_exit_code() -> None:
    """What `status` says of an end is found again in the table."""
    rows = dict(re.findall(r"^\| (\d+) \| (.*?) \|", README, re.MULTILINE))
    assert rows.keys() == {str(int(code)) for code in MEANINGS}
    for code, meaning in MEANINGS.items():
        assert meaning in rows[str(int(code))]


def test_every_command_has_a_module_of_its_own() -> None:
    """One command, one module, and no module of a command that is not offered."""
    modules = {path.stem for path in (ROOT / "kcl_processor" / "cli").glob("*.py")}
    helpers = {"__init__", "hint", "output", "plan", "progress", "ranges", "task", "watch"}
    assert modules - helpers == set(COMMANDS)


@pytest.mark.parametrize(
    "name", re.findall(r"\]\(([^)#]+)\)|`((?:scripts|properties)/[\w./-]+)`", README)
)
def test_files_that_the_readme_names_exist(name: tuple[str, str]) -> None:
    """No link and no path in the README leads nowhere."""
    path = name[0] or name[1]
    if not path.startswith("http"):
        assert (ROOT / path).exists(), path


def test_each_aws_setting_of_the_table_is_tested() -> None:
    """A row without a scene would be a claim without a proof."""
    assert list(readme.settings()) == list(SETTINGS)


def test_the_doctor_warns_of_what_not_everybody_obeys() -> None:
    """Where the cells of a row disagree, what passes here fails there."""
    uneven = {
        name
        for name, said in readme.settings().items()
        if len({readme.obeyed_by(asker, name) for asker in said}) > 1
    }
    assert {re.findall(r"`(\w+)`", name)[0] for name in uneven} == set(UNEVEN)

"""Commands whose standard streams are not what they are on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kcl_processor.errors import ExitCode

EXAMPLE = str(Path(__file__).parents[2] / "properties" / "example.yml")
# As long as a pipe holds, and longer.
LONG = "man"


def sh(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line in which ``$run`` is the product, printing as it does by itself
    where it is no terminal: in blocks."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    run = f"{sys.executable} -m kcl_processor"
    return subprocess.run(
        ["bash", "-c", line],
        env={**inherited, "run": run, "file": EXAMPLE, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_exit_code(closed: str) -> None:
    """What would be printed there is printed nowhere: neither in a file nor on another stream."""
    ran = sh(f"$run iam orders-to-wset -c $file --json {closed}")
    assert ran.returncode == ExitCode.CONFIG and ran.stdout == ""
    assert ("Error: " in ran.stderr) == ("2>&-" not in closed) and "Traceback" not in ran.stderr
    ran = sh(f"$run dashboard orders-to-west --grafana -c $file {closed}")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert bool(ran.stdout) == (" >&-" not in f" {closed}")


@pytest.mark.parametrize(
    "words", ["--version", "--help", LONG, "dashboard orders-to-west --grafana -c $file"]
)
def test_output_that_nobody_has_room_for_is_an_error(words: str) -> None:
    """However short it is, and so only written at the end."""
    ran = sh(f"$run {words} > /dev/full")
    assert (ran.returncode, ran.stderr) == (
        ExitCode.CRASH,
        "Error: No space left on device.\nTry: df -h\n",
    )


@pytest.mark.parametrize("words", ["--version", LONG])
def test_a_reader_that_has_gone_is_no_error_of_ours(words: str) -> None:
    """The command ends as any other that is written to nobody, without a word."""
    ran = sh(f"$run {words} | true; exit ${{PIPESTATUS[0]}}")
    assert (ran.returncode, ran.stderr) == (141, "")


def test_a_letter_that_a_locale_does_not_have_is_another_and_json_has_it() -> None:
    """A table's ellipses and branches are question marks there; JSON names the letter."""
    program = """if True:
        from kcl_processor.cli.output import print_json, print_rows
        from kcl_processor.cli.streams import settle_streams
        settle_streams()
        print_rows([{"shard": "…1"}], ["shard"])
        print_json(["…"])
    """
    ran = sh('${run% -m*} -c "$program"', PYTHONIOENCODING="ascii", program=program)
    assert (ran.stdout, ran.stderr) == ('SHARD\n?1\n[\n  "\\u2026"\n]\n', "")


def test_a_ctrl_c_while_it_is_read_in_ends_it_without_a_word() -> None:
    """As it ends any program; none of this is an error of ours."""
    program = """if True:
        import importlib.abc, os, signal, sys
        class Interrupts(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name == "kcl_processor.cli":
                    os.kill(os.getpid(), signal.SIGINT)
        sys.meta_path.insert(0, Interrupts())
        from kcl_processor.__main__ import main
    """
    ran = sh('exec ${run% -m*} -c "$program"', program=program)
    assert (ran.returncode, ran.stderr) == (-2, "")

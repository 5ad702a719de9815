"""`heal` tells of each gap what became of it."""

from __future__ import annotations

import json
from pathlib import Path

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.own_rows import replace_own
from kcl_processor.state.gaps import Gap, note_gap, open_gaps
from tests.cli.ask import Ask
from tests.edges import Reply, Request, passed_on, serving


def note(file: Path, tmp_path: Path) -> TaskFiles:
    """A gap of no known begin, on the host of the commands."""
    files = TaskFiles(load_tasks(file)[0], tmp_path / "state")
    note_gap(files.gaps, Gap(1.7e9, None, "stream", None, None, "the stream was turned off"))
    return files


def test_without_a_gap_nothing_is_to_be_healed(ask: Ask) -> None:
    """And nothing is asked for."""
    code, out, _ = ask("heal", "--json")
    assert (code, json.loads(out)) == (ExitCode.OK, [])
    code, out, err = ask("heal")
    assert (code, out) == (ExitCode.OK, "") and "No gap is open on this host." in err


def test_a_gap_that_is_open_still_is_told_with_what_to_type(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """Its code is that of a gap."""
    note(file, tmp_path)
    code, out, err = ask("heal", "--bucket", "b", "--json")
    (told,) = json.loads(out)
    assert code == ExitCode.GAP and told["state"] == "open" and "the stream was off" in told["why"]
    assert "verify" in err and "--repair --delete-extra" in err


def test_verify_settles_what_no_export_heals(ask: Ask, file: Path, tmp_path: Path) -> None:
    """Both tables are empty, and so equal."""
    files = note(file, tmp_path)
    code, _, err = ask("heal", "--verify")
    assert code == ExitCode.OK, err
    assert open_gaps(files.gaps) == [] and "1 gap noted on this host settled" in err


def test_json_stays_json_where_both_tables_are_compared_for_it(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """It says what became of a gap in the end; the comparison is told on stderr."""
    note(file, tmp_path)
    code, out, err = ask("heal", "--verify", "--json")
    (told,) = json.loads(out)
    assert (code, told["state"], told["why"]) == (ExitCode.OK, "healed", None)
    assert "SEGMENT" in err


def test_a_gap_that_is_noted_meanwhile_is_open_still(
    ask: Ask, ran: Task, file: Path, moto_url: str, tmp_path: Path
) -> None:
    """Exports take their time, and a daemon that is late passes gap after gap."""
    files = TaskFiles(ran, tmp_path / "state")
    until = "2026-11-01T00:00:00+00:00"
    first, later = (Gap(1.7e9, shard, "5", until, until, "late") for shard in ("s-1", "s-2"))
    note_gap(files.gaps, first)
    healed = {"gaps": {"M": {"s-1 5": {"S": until}}}}
    assert replace_own(ran, "KclProcessorHealed", None, healed)

    def noting(request: Request) -> Reply:
        if b"KclProcessorHealed" in request.body:
            note_gap(files.gaps, later)
        return passed_on(moto_url, request)

    with serving(noting) as edge:
        file.write_text(file.read_text().replace(moto_url, edge.url))
        code, out, err = ask("heal", "--json")
    assert [one["state"] for one in json.loads(out)] == ["healed"]
    assert code == ExitCode.GAP and "1 gap was noted meanwhile. Next: kcl-processor heal" in err

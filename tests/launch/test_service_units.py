"""Units: restarted where it helps, left stopped where a person must act."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.launch.service_units import supervisord_program, systemd_unit

EXAMPLE = Path(__file__).parents[2] / "properties" / "example.yml"
TASK = load_tasks(EXAMPLE)[0]
COMMAND = ["/opt/venv/bin/kcl-processor", "run", "--supervised", "-c", "/etc/a b%c.yml", TASK.name]
FINAL = {2, 5, 6, 7, 8, 9}


def section(text: str, name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = lambda optionstr: optionstr  # type: ignore[method-assign]
    parser.read_string(text)
    return dict(parser[name])


def test_systemd_restarts_on_crashes_and_not_on_what_a_person_must_mend() -> None:
    """Signals, 1, 3 and 70 are restarted; the documented others are not."""
    service = section(systemd_unit(TASK, COMMAND), "Service")
    assert service["Restart"] == "on-failure"
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == FINAL
    assert service["SuccessExitStatus"] == "143", "a stop while Java starts is a stop"
    assert service["KillMode"] == "mixed"
    assert '"/etc/a b%c.yml"'.replace("%", "%%") in service["ExecStart"]


def test_systemd_gives_the_daemon_no_more_than_it_needs() -> None:
    """A user of its own, whose files are its own; less is asked where Java would not run."""
    service = section(systemd_unit(TASK, COMMAND), "Service")
    assert service["User"] == "kcl-processor" and service["UMask"] == "0077"
    assert service["StateDirectoryMode"] == service["LogsDirectoryMode"] == "0700"
    assert service["CapabilityBoundingSet"] == "" and service["NoNewPrivileges"] == "yes"
    assert "AF_UNIX" in service["RestrictAddressFamilies"], "record processors are spoken to by it"
    assert "MemoryDenyWriteExecute" not in service and "ProcSubset" not in service


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("/srv/letters/orders.jsonl", "/srv/letters"),
        ("/srv/our letters/orders.jsonl", '"/srv/our letters"'),
        ("orders.jsonl", None),
        ("arn:aws:sqs:us-east-1:123456789012:letters", None),
    ],
)
def test_dead_letters_may_lie_elsewhere(place: str, line: str | None) -> None:
    """All else of the file system but state and logs is read-only to the daemon."""
    service = section(systemd_unit(replace(TASK, dead_letters=place), COMMAND), "Service")
    assert service["ProtectSystem"] == "strict"
    assert service.get("ReadWritePaths") == line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_itself_finds_the_unit_sound(tmp_path: Path) -> None:
    """It knows every line, and its own review gives at most 2.5 (10 is exposed)."""
    unit = tmp_path / "kcl-processor-orders.service"
    unit.write_text(systemd_unit(TASK, ["/bin/true"]))
    known = analyze("verify", str(unit))
    assert known.returncode == 0 and "nknown" not in known.stderr
    review = analyze("security", "--offline=true", "--threshold=25", str(unit))
    assert review.returncode == 0, review.stdout


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)


def test_supervisord_expects_the_same_codes() -> None:
    """autorestart=unexpected goes by exitcodes only if startsecs is 0."""
    text = supervisord_program(TASK, COMMAND, Path("/state"), Path("/logs"))
    program = section(text, f"program:kcl-processor-{TASK.name}")
    assert {int(code) for code in program["exitcodes"].split(",")} == FINAL | {0}
    assert program["autorestart"] == "unexpected" and program["startsecs"] == "0"
    assert "'/etc/a b%%c.yml'" in program["command"]


def test_a_stop_outlasts_the_daemons_own_grace() -> None:
    """A supervisor that kills earlier would cut the last checkpoints."""
    kcl = replace(TASK.kcl, properties={"shutdownGraceMillis": "60500"})
    task = replace(TASK, kcl=kcl)
    assert section(systemd_unit(task, COMMAND), "Service")["TimeoutStopSec"] == "76"
    text = supervisord_program(task, COMMAND, Path("/state"), Path("/logs"))
    assert section(text, f"program:kcl-processor-{TASK.name}")["stopwaitsecs"] == "76"


def test_no_exit_code_is_forgotten() -> None:
    """A code is either for a person or for a restart, or no daemon ends with it."""
    restarted = {ExitCode.OK, ExitCode.CRASH, ExitCode.NOT_RUNNING, ExitCode.UNKNOWN, ExitCode.BUG}
    of_commands = {ExitCode.WRITTEN}
    assert set(ExitCode) == {ExitCode(code) for code in FINAL} | restarted | of_commands

"""The rendered unit under the real supervisord: crashes come back, verdicts do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker, record_processors

pytestmark = pytest.mark.story

PROGRAMS = Path(sys.executable).parent


def test_supervisord_brings_crashed_daemons_back(story: Stories, tell: Tell) -> None:
    """Killed as a host, and by a child, a daemon comes back and catches up; denied, it does not."""
    told = story(lineages=2, preload=300, keys=200, rate=60.0)
    with _supervised(told) as status:
        until(lambda: told.writes() > 3, "the daemon writes", 60)
        os.killpg(_daemon(told), signal.SIGKILL)
        until(told.more_writes(5), "it is back", 60)
        first = _daemon(told)
        until(lambda: record_processors(first), "it has children", 30)
        record_processors(first)[0].kill()
        until(lambda: _daemon(told) not in (0, first), "it is back again", 60)
        until(told.more_writes(5), "it writes again", 60)

        denied = {"kind": "AccessDeniedException", "operation": "BatchWriteItem"}
        told.simulator.faults(destination=[denied])
        until(lambda: "EXITED" in status("status"), "it stays down", 30)
        assert not _daemon(told)
        told.simulator.faults(destination=[])
        status("start", f"kcl-processor-{told.name}")
        verdict = told.simulator.settle(60)
        assert_replicated(verdict)
        status("stop", f"kcl-processor-{told.name}")
        assert "STOPPED" in status("status")
    tell("kill -9 under supervisord", told, verdict, 2)


@contextmanager
def _supervised(told: Story) -> Iterator[Callable[..., str]]:
    """Run supervisord with the rendered unit; yields supervisorctl, which gives its output."""
    logs = told.folder / "logs"
    logs.mkdir()
    out = ["--supervisord", "--out", str(told.folder), "--log-dir", str(logs)]
    rendered = told.run("render", *out)
    assert rendered.returncode == 0, rendered.stderr
    config = told.folder / "supervisord.conf"
    config.write_text(
        f"""[supervisord]
nodaemon=true
logfile={told.folder}/supervisord.log
pidfile={told.folder}/supervisord.pid
[unix_http_server]
file={told.folder}/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{told.folder}/s
[include]
files={rendered.stdout.strip()}
"""
    )
    command = [str(PROGRAMS / "supervisord"), "-c", str(config)]

    def control(*words: str) -> str:
        program = [str(PROGRAMS / "supervisorctl"), "-c", str(config), *words]
        return subprocess.run(program, capture_output=True, text=True, timeout=60).stdout

    with Worker(command, told.folder / "supervisord.out") as supervisord:
        try:
            yield control
        finally:
            # Its daemons are in groups of their own, and end if it is asked to.
            supervisord.ask_to_stop()
            supervisord.wait(60)


def _daemon(told: Story) -> int:
    """The process of the task's daemon, 0 if there is none."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(f"/{told.name}.workers/" in word for word in words) and "-cp" in words:
            return int(process.pid)
    return 0

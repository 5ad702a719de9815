"""The real child process, spoken to over pipes as the daemon does, writing to moto."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import boto3
import pytest

from kcl_processor.errors import ExitCode
from tests.edges import Reply, silent
from tests.replicate.daemon_side import INITIALIZE, DaemonSide, records
from tests.replicate.task_of_moto import rendered, table_of
from tests.state.test_worker_lock import is_free


class Child(DaemonSide):
    """The daemon's side of the pipes."""

    def __init__(self, properties: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kcl_processor.replicate.child", str(properties)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

        assert self.process.stdin and self.process.stdout and self.process.stderr
        super().__init__(self.process.stdin, self.process.stdout)
        self.stderr = self.process.stderr

    def end(self) -> tuple[int, str]:
        """Close its input; give its exit code and what it wrote on stderr."""
        out, err = self.process.communicate(timeout=20)
        assert out.strip() == ""
        return self.process.returncode, err


class Start(Protocol):
    """Starts a child: other lines in its properties, and more in its environment."""

    def __call__(
        self, endpoint: str = ..., changes: Sequence[tuple[str, str]] = ..., **environment: str
    ) -> Child: ...


@pytest.fixture
def start(moto_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts children of a task whose destination is a table of moto; they end with the test."""
    started: list[Child] = []

    def make(
        endpoint: str = moto_url,
        changes: Sequence[tuple[str, str]] = (),
        **environment: str,
    ) -> Child:
        text = rendered(endpoint, tmp_path)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "child.properties"
        path.write_text(text, encoding="iso-8859-1")
        started.append(Child(path, **environment))
        return started[-1]

    with table_of(moto_url):
        yield make
        for child in started:
            child.process.kill()
            child.process.wait()


def test_a_shard_from_its_start_to_a_stop(start: Start, moto_url: str) -> None:
    """Records are on the destination before the answer; the stop checkpoints; then exit code 0."""
    child = start()
    child.do(INITIALIZE)
    child.do(records(1, 2, 3))
    table = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    assert table.scan(TableName="child")["Count"] == 3
    assert child.do({"action": "shutdownRequested"}) == ["103"]
    child.do({"action": "leaseLost"})
    code, log = child.end()
    assert code == 0
    assert all(line.split(" ", 1)[0] == "INFO" for line in log.splitlines()), log


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """A folder whose sitecustomize prints to stdout, from Python and from C, all the time."""
    (tmp_path / "sitecustomize.py").write_text(
        """
import ctypes, os, sys, threading, time
if "kcl_processor.replicate.child" in " ".join(sys.orig_argv):
    def shout():
        while os.readlink("/proc/self/fd/1") != os.readlink("/proc/self/fd/2"):
            time.sleep(0.01)
        libc = ctypes.CDLL(None)
        while True:
            print("a stray print", flush=True)
            libc.puts(b"a stray puts")
            libc.fflush(None)
            os.write(1, b"a stray write\\n")
            time.sleep(0.001)
    threading.Thread(target=shout, daemon=True).start()
"""
    )
    return tmp_path


def test_prints_to_stdout_from_python_and_c_do_no_harm(start: Start, noisy: Path) -> None:
    """Whatever is printed in the process lands in the log, and no reply is broken by it."""
    child = start(PYTHONPATH=os.pathsep.join([str(noisy), str(Path(__file__).parents[2])]))
    child.do(INITIALIZE)
    for _ in range(5):
        child.do(records(1, 2, 3))
    child.stdin.close()
    log = child.stderr.read()
    assert child.stdout.read().strip() == ""
    assert child.process.wait(20) == 0
    for stray in ("a stray print", "a stray puts", "a stray write"):
        assert stray in log


def test_a_terminal_signal_is_left_to_the_daemon(start: Start) -> None:
    """A signal that reaches the whole process group does not cut a batch."""
    child = start()
    child.do(INITIALIZE)
    for number in (1, 2, 15):
        child.process.send_signal(number)
    child.do(records(1))
    child.stdin.close()
    assert child.process.wait(20) == 0


def test_a_daemon_that_is_gone_gets_nothing_more_written(start: Start, tmp_path: Path) -> None:
    """What it had asked for is read all the same, and none of it is sent; the lock goes last."""
    child = start()
    child.do(INITIALIZE)
    (lock,) = tmp_path.glob("state/*/worker-1/lock")
    assert not is_free(lock)
    child.say(records(1))
    assert child.hear()["action"] == "checkpoint"
    code, _ = child.end()
    assert code != 0
    assert is_free(lock)


def test_no_progress_ends_the_process_with_its_stacks(start: Start) -> None:
    """A daemon that never answers a checkpoint: stacks in the log and exit code 1 in time."""
    child = start(changes=[("replica.watchdogSeconds = 300", "replica.watchdogSeconds = 1")])
    child.do(INITIALIZE)
    child.say(records(1))
    assert child.hear()["action"] == "checkpoint"
    assert child.process.wait(20) == ExitCode.CRASH
    log = child.stderr.read()
    assert "Timeout (0:00:02)!" in log and "process_records" in log


def test_an_attempt_that_never_returns_ends_the_process(start: Start) -> None:
    """The writer waits for it and for nothing else: that is no progress, however it waits."""
    with silent(Reply.of({})) as (mute, _):
        child = start(mute.url, [("replica.watchdogSeconds = 300", "replica.watchdogSeconds = 2")])
        child.do(INITIALIZE)
        child.say(records(1))
        child.say(child.hear() | {"error": None})
        assert child.process.wait(8) == ExitCode.CRASH
    log = child.stderr.read()
    assert "Timeout (0:00:03)!" in log and "in write" in log


def test_credentials_that_come_late_are_waited_for(start: Start, tmp_path: Path) -> None:
    """A host that starts before its keys are there loses nothing, and needs no restart."""
    file = tmp_path / "credentials"
    child = start(AWS_ACCESS_KEY_ID="", AWS_SHARED_CREDENTIALS_FILE=str(file))
    child.do(INITIALIZE)
    with ThreadPoolExecutor(1) as daemon:
        delivered = daemon.submit(child.do, records(1))
        told = next(line for line in child.stderr if "does not take" in line)
        assert "NoCredentials No AWS credentials were found" in told
        file.write_text("[default]\naws_access_key_id = late\naws_secret_access_key = late\n")
        delivered.result(20)


def test_a_bundle_of_certificates_that_is_not_there_ends_it_at_once(
    start: Start, tmp_path: Path
) -> None:
    """With the configuration's exit code and in words, where retrying would never help."""
    child = start(AWS_CA_BUNDLE=str(tmp_path / "none.pem"))
    child.say(INITIALIZE)
    code, log = child.process.wait(20), child.stderr.read()
    assert code == ExitCode.CONFIG and "none.pem" in log and "Traceback" not in log

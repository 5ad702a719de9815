"""The real fork server, asked for forks as the launcher does, whose forks write to moto."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest

from kcl_processor.errors import ExitCode
from kcl_processor.replicate.fork_server import PROCESSES
from tests.replicate.daemon_side import INITIALIZE, DaemonSide, records
from tests.replicate.task_of_moto import properties_for


class Forked(DaemonSide):
    """One fork."""

    def __init__(self, path: Path, shard: str) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(20)
        self.connection.connect(str(path))
        super().__init__(self.connection.makefile("w"), self.connection.makefile("r"))
        self.stdin.write(f"{shard}\n")
        self.stdin.flush()
        self.number, self.pid = map(int, self.stdout.readline().split())

    def finish(self) -> None:
        """Say that there is no more; the fork may still answer."""
        self.connection.shutdown(socket.SHUT_WR)
        assert self.stdout.read() == ""


class Server:
    """A fork server and what it tells."""

    def __init__(self, properties: Path, path: Path) -> None:
        self.path = path
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "kcl_processor.replicate.fork_server"),
                *(str(properties), str(path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout and self.process.stderr and self.process.stdin
        self.told, self.log = self.process.stdout, self.process.stderr
        self.forks: list[Forked] = []

    def fork(self, shard: str = "shard-1") -> Forked:
        """A fork for a shard."""
        self.forks.append(Forked(self.path, shard))
        return self.forks[-1]

    def end(self) -> int:
        """Close its input; give its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(20)


@pytest.fixture
def server(moto_url: str, tmp_path: Path) -> Iterator[Server]:
    """A fork server of a task whose destination is a table of moto."""
    (tmp_path / "s").mkdir()
    with properties_for(moto_url, tmp_path) as properties:
        made = Server(properties, tmp_path / "s" / "forks")
        try:
            assert made.told.readline() == "ready\n"
            yield made
        finally:
            made.process.kill()
            made.process.wait()


def test_forks_work_side_by_side(server: Server, moto_url: str) -> None:
    """Each has its shard, its connection and its log lines; how each ends is told."""
    forks = [server.fork(f"shard-{n}") for n in range(3)]
    for fork in forks:
        fork.do(INITIALIZE)
    for n, fork in enumerate(forks):
        fork.do(records(n))
    table = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    assert table.scan(TableName="child")["Count"] == 3
    for fork in forks:
        assert fork.do({"action": "shutdownRequested"}) == ["101"]
        fork.finish()
    ended = {server.told.readline() for _ in forks}
    assert ended == {f"{fork.number} 0\n" for fork in forks}
    assert server.end() == 0
    log = server.log.read().splitlines()
    assert {line.split()[1] for line in log} == {"shard-0", "shard-1", "shard-2"}, log


def test_a_fork_that_dies_is_told_and_the_others_go_on(server: Server) -> None:
    """By the number that a shell has for its signal."""
    one, other = server.fork(), server.fork()
    os.kill(one.pid, signal.SIGKILL)
    assert server.told.readline() == f"{one.number} 137\n"
    other.do(INITIALIZE)
    other.do(records(1))


def test_many_shards_share_a_few_processes(server: Server) -> None:
    """Up to a number each has its own; from there on they are spread, and each ends alone."""
    forks = [server.fork(f"shard-{n}") for n in range(2 * PROCESSES + 1)]
    assert len({fork.pid for fork in forks[:PROCESSES]}) == PROCESSES
    pids = Counter(fork.pid for fork in forks)
    assert len(pids) == PROCESSES and sorted(pids.values())[-2:] == [2, 3]
    for fork in forks:
        fork.do(INITIALIZE)
    for n, fork in enumerate(forks):
        fork.do(records(n))
    assert len(psutil.Process(server.process.pid).children()) == PROCESSES
    for fork in forks:
        fork.finish()
        assert server.told.readline() == f"{fork.number} 0\n"
    psutil.wait_procs(psutil.Process(server.process.pid).children(), 20)
    assert not psutil.Process(server.process.pid).children()


def dirtied(server: Server) -> int:
    """Bytes that the forks have of their own."""
    total = 0
    for fork in psutil.Process(server.process.pid).children():
        rollup = Path(f"/proc/{fork.pid}/smaps_rollup").read_text()
        total += int(rollup.partition("Private_Dirty:")[2].split()[0]) * 1024
    return total


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells")
def test_what_a_further_shard_costs(server: Server) -> None:
    """With a process of its own some megabytes; in one with others a thread, and less than one."""
    for number in range(PROCESSES):
        server.fork(f"first-{number}").do(INITIALIZE)
    first = dirtied(server)
    assert first / PROCESSES < 8 << 20
    threads = [fork.num_threads() for fork in psutil.Process(server.process.pid).children()]
    for number in range(3 * PROCESSES):
        server.fork(f"further-{number}").do(INITIALIZE)
    assert (dirtied(server) - first) / (3 * PROCESSES) < 1 << 20
    now = [fork.num_threads() for fork in psutil.Process(server.process.pid).children()]
    assert [after - before for before, after in zip(threads, now, strict=True)] == [3] * PROCESSES


def shared(server: Server) -> tuple[Forked, Forked]:
    """Two shards that share a process."""
    one, *_, other = [server.fork() for _ in range(PROCESSES + 1)]
    assert one.pid == other.pid
    return one, other


def test_a_process_that_dies_is_told_for_each_of_its_shards(server: Server) -> None:
    """The daemon hears of all of them, as of processes of their own."""
    one, other = shared(server)
    os.kill(one.pid, signal.SIGKILL)
    ended = {server.told.readline() for _ in range(2)}
    assert ended == {f"{fork.number} 137\n" for fork in (one, other)}


def test_a_shard_that_fails_leaves_the_others_of_its_process_their_last_checkpoint(
    server: Server,
) -> None:
    """How it ends is its own; the daemon ends the others as it ends them all."""
    one, other = shared(server)
    for fork in (one, other):
        fork.do(INITIALIZE)
    other.do(records(1))
    broken = records(2)
    broken["records"][0]["data"] = "e30="
    one.say(broken)
    assert server.told.readline() == f"{one.number} {int(ExitCode.SOURCE)}\n"
    assert other.do({"action": "shutdownRequested"}) == ["101"]
    other.finish()
    assert server.told.readline() == f"{other.number} 0\n"


def test_a_fork_ends_with_its_own_exit_code(server: Server) -> None:
    """A record that cannot be understood is the source's fault."""
    fork = server.fork()
    fork.do(INITIALIZE)
    broken = records(1)
    broken["records"][0]["data"] = "e30="
    fork.say(broken)
    assert server.told.readline() == f"{fork.number} {int(ExitCode.SOURCE)}\n"


def test_a_server_whose_daemon_is_gone_ends_and_leaves_nothing(server: Server) -> None:
    """Its socket and its folder go; its forks see by themselves that they are alone."""
    fork = server.fork()
    fork.do(INITIALIZE)
    assert server.end() == 0
    assert not server.path.parent.exists()
    fork.finish()
    psutil.wait_procs([psutil.Process(fork.pid)] if psutil.pid_exists(fork.pid) else [], 20)
    assert not psutil.pid_exists(fork.pid)


def test_a_server_that_has_nobody_to_tell_leaves_nothing(server: Server) -> None:
    """A fork's end is the first that it hears of the death of its daemon."""
    fork = server.fork()
    server.told.close()
    fork.finish()
    assert server.process.wait(20) == ExitCode.CRASH
    assert not server.path.parent.exists()


PROGRAM = """
import os, signal, socket, sys
from kcl_processor.replicate.fork_server import _Server

asks, _ = socket.socketpair()
_Server(asks, sys.stdout, None, None).run()
os.kill(os.getpid(), signal.SIGCHLD)
"""


def test_a_fork_that_ends_behind_the_server_leaves_no_word_in_the_log() -> None:
    """Python would show, line by line, that it cannot tell a server of it that is gone."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], input="", capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("ready\n", "")


def test_settings_that_cannot_be_read_end_it_with_the_configurations_code(tmp_path: Path) -> None:
    """Before anything is forked, and in words."""
    server = Server(tmp_path / "none.properties", tmp_path / "forks")
    assert server.process.wait(20) == ExitCode.CONFIG
    assert "none.properties cannot be read" in server.log.read()


def test_a_folder_that_takes_no_sockets_ends_it_with_what_to_do(
    moto_url: str, tmp_path: Path
) -> None:
    """Some that a container shares with its host take files alone; no traceback says so."""
    with properties_for(moto_url, tmp_path) as properties:
        server = Server(properties, Path("/proc/self/forks"))
        assert server.process.wait(20) == ExitCode.CONFIG
    told = server.log.read()
    assert "Traceback" not in told and "/proc/self/forks" in told and "Try: --state-dir" in told


def test_a_fork_whose_asker_is_gone_ends_alone(server: Server) -> None:
    """The socket is the server's: whoever asks next finds it. The kernel tells the fork of an end,
    or of a reset where what the server had said was not read."""
    with socket.socket(socket.AF_UNIX) as gone:
        gone.connect(str(server.path))
    _, code = server.told.readline().split()
    assert int(code) in (ExitCode.OK, ExitCode.BUG)
    assert server.path.exists()
    server.fork().do(INITIALIZE)


NO_THREAD = """
import socket, sys, threading
from types import SimpleNamespace
from kcl_processor.replicate.fork_server import _Shards

# More than there are addresses: no thread has a stack.
threading.stack_size((1 << 47) - 4096)
work = SimpleNamespace(begin=lambda: None, end=lambda: None)
_Shards(socket.socket(fileno=int(sys.argv[1])), work).run()
"""


def test_a_shard_without_a_thread_ends_at_once() -> None:
    """Its connection, too: the daemon asks there, and would wait for an answer for good."""
    control, theirs = socket.socketpair()
    connection, its = socket.socketpair()
    command = [sys.executable, "-c", NO_THREAD, str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process, control, connection:
        theirs.close()
        socket.send_fds(control, [(7).to_bytes(8, "big")], [its.fileno()])
        its.close()
        for end in (control, connection):
            end.settimeout(20)
        assert control.recv(100) == b"7 1\n"
        assert connection.recv(1) == b""
        control.close()
        assert process.wait(20) == 0


def test_it_says_what_its_forks_consumed_when_it_is_asked(server: Server) -> None:
    """From the first time on they count, and what one counted outlives it."""
    assert server.process.stdin
    seen = []
    for number in range(3):
        server.process.stdin.write("consumed\n")
        server.process.stdin.flush()
        seen.append(server.told.readline())
        fork = server.fork(f"shard-{number}")
        fork.do(INITIALIZE)
        fork.do(records(number))
        fork.finish()
        assert server.told.readline() == f"{fork.number} 0\n"
    assert seen == ["consumed 0.00\n", "consumed 1.00\n", "consumed 2.00\n"]

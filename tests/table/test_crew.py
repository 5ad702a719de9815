"""Several processes at one piece of work: real forks, and what becomes of them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Side
from kcl_processor.errors import OperatorError, PoisonError
from kcl_processor.table.crew import Crew, Link, Numbers, processes_for
from kcl_processor.table.pace import Halt, Halted, Pace
from tests.edges import Handler, Reply, running


class World:
    """A crew, and what is heard of it."""

    def __init__(self) -> None:
        self.halt = Halt()
        self.heard: list[Any] = []
        self.written = 0
        self.on_turn: Callable[[], None] = lambda: self.halt.wait(0)

    def run(self, count: int, work: Callable[[Link], None]) -> None:
        """Run to the end; whatever it is, no process is left."""
        try:
            Crew(count, work, self.halt, "once more").run(self._hear, self._write, self.on_turn)
        finally:
            assert not multiprocessing.active_children()

    def wait(self, link: Link) -> None:
        """Work that ends when it is told to."""
        link.tell(os.getpid())
        self.halt.wait(60)

    def _hear(self, worker: int, report: Any) -> None:
        self.heard.append((worker, report))

    def _write(self) -> None:
        self.written = len(self.heard)


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_number_is_handed_to_one_of_several_processes() -> None:
    """None twice, none forgotten; and all of it is heard in this process."""
    world, numbers = World(), Numbers(50)

    def work(link: Link) -> None:
        for number in numbers:
            link.tell((os.getpid(), number))

    world.run(3, work)
    assert sorted(number for _, (_, number) in world.heard) == list(range(50))
    pids = {pid for _, (pid, _) in world.heard}
    assert os.getpid() not in pids
    assert len({worker for worker, _ in world.heard}) == len(pids)


def test_each_process_has_connections_of_its_own() -> None:
    """What this one has open is no other's: two would read each other's answers."""
    world, came = World(), list[int]()

    class Serving(Handler):
        def do_POST(self) -> None:
            self.request_in()
            came.append(self.client_address[1])
            self.reply(Reply.of({"TableNames": []}))

    with running(Serving) as port:
        side = Side("us-east-1", "orders", f"http://127.0.0.1:{port}")

        def ask(link: Link) -> None:
            link.tell(clients.tables(side).list_tables()["TableNames"])

        clients.tables(side).list_tables()
        world.run(2, ask)
        clients.tables(side).list_tables()
    assert len(came) == 4 and len(set(came)) == 3 and came[0] == came[3]


def test_what_nobody_needs_any_more_is_gone_before_the_fork() -> None:
    """A process that forks one crew after another, for days, would never free it."""

    class Knot:
        itself: Knot

    knot = Knot()
    knot.itself = knot
    seen = weakref.ref(knot)
    gc.disable()
    try:
        del knot
        assert seen() is not None
        World().run(1, lambda _: None)
        assert seen() is None
    finally:
        gc.enable()


def test_a_worker_goes_on_when_its_report_is_written_down() -> None:
    """So what a kill makes it repeat is what it did since its last report."""
    world = World()
    written: list[int] = []

    def work(link: Link) -> None:
        for number in range(5):
            link.tell(number)

    def note() -> None:
        world.written = len(world.heard)
        written.append(world.written)

    Crew(1, work, world.halt, "").run(world._hear, note, lambda: None)
    assert written == [1, 2, 3, 4, 5]


def test_what_a_worker_prints_is_no_result(capfd: pytest.CaptureFixture[str]) -> None:
    """Of the command: a rule in Python may print."""
    World().run(1, lambda _: print("a rule", flush=True))
    assert capfd.readouterr() == ("", "a rule\n")


def test_what_a_worker_raises_ends_the_work_of_all() -> None:
    """The same error, in an operator's words."""
    world = World()

    def work(link: Link) -> None:
        link.tell(None)
        if next(iter(first), None) is not None:
            raise PoisonError("An item is refused.", "mend it")
        world.wait(link)

    first = Numbers(1)
    with pytest.raises(PoisonError) as raised:
        world.run(3, work)
    assert (raised.value.message, raised.value.hint) == ("An item is refused.", "mend it")


def test_a_worker_in_the_middle_of_a_report_holds_up_no_end() -> None:
    """A pipe holds less than a report may be, and nobody is to hear this one."""

    def work(link: Link) -> None:
        link.tell(b"x" * 1_000_000)

    def stop(_worker: int, _report: object) -> None:
        raise Halted

    began = time.monotonic()
    with pytest.raises(Halted):
        Crew(3, work, Halt(), "").run(stop, lambda: None, lambda: None)
    assert time.monotonic() - began < 10
    assert not multiprocessing.active_children()


def test_an_error_of_ours_says_where_it_was() -> None:
    """Its stack is another process's."""

    def break_down(_link: Link) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        World().run(1, break_down)
    assert "in break_down" in raised.value.__notes__[0]


def test_a_worker_that_is_killed_is_an_error_that_names_it() -> None:
    """The others end, too: the operator decides what is next, and nothing is left out."""
    world = World()

    def kill_one() -> None:
        if len(world.heard) == 3:
            os.kill(world.heard[1][1], signal.SIGKILL)

    world.on_turn = kill_one
    with pytest.raises(OperatorError, match="was killed by SIGKILL") as raised:
        world.run(3, world.wait)
    assert str(world.heard[1][1]) in raised.value.message
    assert raised.value.hint == "once more"


def test_a_stop_ends_every_process() -> None:
    """A worker is told, and ends what it does first."""
    world = World()
    ended = Numbers(9)

    def work(link: Link) -> None:
        try:
            link.tell(None)
            world.halt.wait(60)
        finally:
            next(iter(ended))

    def stop() -> None:
        if len(world.heard) == 2:
            world.halt.set()
        world.halt.wait(0)

    world.on_turn = stop
    with pytest.raises(Halted):
        world.run(2, work)
    assert next(iter(ended)) == 2


def test_signals_for_the_command_are_not_for_its_workers() -> None:
    """Ctrl-C reaches all of a terminal's processes; the command decides when each ends."""
    world = World()

    def work(link: Link) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        link.tell("alive")

    world.run(1, work)
    assert world.heard == [(0, "alive")]


def test_workers_end_with_the_process_that_forked_them() -> None:
    """After kill -9 nobody writes down what they do, so they do nothing more."""
    code = (
        "from tests.table.test_crew import *\n"
        "world = World()\n"
        "Crew(2, world.wait, world.halt, '').run(\n"
        "    lambda _, pid: print(pid, flush=True), lambda: None, lambda: None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as crew:
        assert crew.stdout
        pids = [int(crew.stdout.readline()) for _ in range(2)]
        crew.kill()
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "they live on"


def test_processes_keep_to_one_rate_together() -> None:
    """Two that take a hundred units each of five hundred a second need four tenths, not two."""
    clock = SystemClock()
    pace = Pace(500.0, clock, Halt().wait)

    def work(_link: Link) -> None:
        for _ in range(10):
            pace.take(10)

    began = clock.elapsed()
    World().run(2, work)
    assert clock.elapsed() - began >= 0.37


def test_there_are_no_more_processes_than_pieces() -> None:
    """And no fewer than one; the operator's number goes before the host's."""
    assert processes_for(0) == processes_for(1) == 1
    assert processes_for(100, 5) == 5
    assert processes_for(3, 5) == 3
    assert 1 < processes_for(100) <= 8

"""Checkpoints that belong to another replica are refused at start."""

from __future__ import annotations

import psutil
import pytest

from integration import task_file
from integration.bootstrap import bootstrapped
from integration.story import Stories, Story
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.own_rows import read_own, replace_own
from kcl_processor.launch.copy_mark import CopyMark, CopyState, replace_mark
from kcl_processor.launch.identity import KEY

pytestmark = pytest.mark.story


def test_a_checkpoint_table_of_another_destination(story: Stories) -> None:
    """Both replicas are named, and nothing starts; --adopt takes the table over."""
    told = story(lineages=1, preload=100, keys=50)
    worker = told.started()
    told.caught_up()
    assert worker.stop() == 0
    before = told.leases()
    other = story(destination_table="elsewhere", lineages=1, preload=10, keys=10)
    region, url = other.simulator.ready["region"], other.simulator.destination_url
    told.configure(destination=task_file.side(region, "elsewhere", url))
    refused = told.start()
    assert refused.wait(30) == 2
    assert "table/replica" in refused.log() and "table/elsewhere" in refused.log()
    assert "--adopt" in refused.log()
    assert told.leases() == before
    adopted = told.start("worker-1", "--adopt")
    until(lambda: len(adopted.children()) == 1, "it starts", 60)


def test_nobody_adopts_what_a_living_worker_goes_on_with(story: Stories) -> None:
    """By other rules, two workers of one fleet would each lay items of their shards in their own
    way, for as long as both live; once the first is stopped, the second takes the table over."""
    told = story(lineages=2, preload=100, keys=50)
    worker = told.started("worker-1")
    told.configure(transform={"exclude": ["text"]})
    refused = told.start("worker-2", "--adopt")
    assert refused.wait(60) == 2, refused.log()
    assert "is running" in refused.log() and "stop the daemon on every host" in refused.log()
    assert worker.stop() == 0
    adopted = told.start("worker-2", "--adopt")
    until(lambda: len(adopted.children()) == 2, "it starts", 60)


def test_a_worker_that_comes_back_to_what_was_taken_over_takes_no_shard_up(story: Stories) -> None:
    """What it would read by its own rules nobody reads by the others' any more, before it ends."""
    told = story(lineages=1, preload=100, keys=50, rate=50.0)
    worker = told.started()
    (before,) = worker.children()
    (task,) = load_tasks(told.commands.file)
    claim = read_own(task, KEY)
    assert claim and replace_own(task, KEY, claim, claim | {"rules": {"S": "others"}})
    told.let_go()
    seen: set[psutil.Process] = set()

    def ended() -> bool:
        seen.update(worker.children())
        return not worker.running()

    until(ended, "it ends", 60)
    assert worker.wait(1) == 2, worker.log()
    assert seen <= {before} and "were taken over" in worker.log()


def test_a_daemon_of_the_bootstrap_script_looks_at_the_copy(story: Stories) -> None:
    """Over a copy that is not whole it does not start, and nothing is read."""
    told = story(lineages=1, preload=10, keys=10)
    (task,) = load_tasks(told.commands.file)
    make_kcl_tables(task)
    mark = CopyMark("token", CopyState.BEGUN, "copier", 0.0, 0.0)
    assert replace_mark(task, None, mark)
    with by_the_script(told, "one") as refused:
        assert refused.wait(30) == 2, refused.log()
        assert "copier, is not whole (begun)" in refused.log()
    assert told.leases() == {}
    assert replace_mark(task, mark, mark.now(CopyState.DONE, 0.0))
    with by_the_script(told, "two") as stale:
        assert stale.wait(30) == 9, stale.log()


def test_a_daemon_of_the_bootstrap_script_looks_at_the_claim(story: Stories) -> None:
    """It claims what is nobody's, also for `run`; another destination is refused by name."""
    told = story(lineages=1, preload=100, keys=50)
    with by_the_script(told, "one") as first:
        told.caught_up()
        assert first.stop() == 0
    told.simulator.control(load={"rate": 50.0})
    assert told.started().stop() == 0
    region = told.simulator.ready["region"]
    other = story(destination_table="elsewhere", lineages=1, preload=10, keys=10)
    told.configure(destination=task_file.side(region, "elsewhere", other.simulator.destination_url))
    with by_the_script(told, "two") as refused:
        assert refused.wait(30) == 2, refused.log()
        assert "table/elsewhere" in refused.log() and "belong to the replica" in refused.log()


def by_the_script(told: Story, name: str) -> Worker:
    """The task's daemon, of an id of its own."""
    told.set_worker_id(name)
    return bootstrapped(told.commands, told.folder / name)

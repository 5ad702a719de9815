"""Keys of a report, looked at again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.config.task import Task
from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.proof_notes import note_run
from kcl_processor.table.recheck import Rechecked, Reported, run_recheck
from kcl_processor.table.repair import Outcome
from kcl_processor.table.sides import Pair
from kcl_processor.table.verify_task import VerifyListener, VerifyOptions, run_verify
from kcl_processor.transform.rules import Rules
from tests.table.copied import TurningHalt
from tests.table.proven import Heard, ProofWorld

NAMES = [f"item-{number}" for number in range(12)]


@pytest.fixture
def world(moto_url: str) -> ProofWorld:
    """Two tables that differ in two keys, as a round has found."""
    world = ProofWorld(moto_url)
    world.fill(*NAMES)
    for name in NAMES[:2]:
        world.delete(world.task.destination, name)
    return world


def reported(name: str, kind: str = "missing") -> Reported:
    """A line of a report, of a task without rules."""
    key = canonical_key({"pk": {"S": name}})
    return Reported(kind, Pair(key, key), 0)


def again(
    world: ProofWorld, *lines: Reported, task: Task | None = None, **options: object
) -> list[Rechecked]:
    """Look at some lines again."""
    chosen = VerifyOptions(patience=1.0, **options)  # type: ignore[arg-type]
    halt = TurningHalt(world.clock)
    return run_recheck(task or world.task, chosen, lines, VerifyListener(), halt, world.clock)


def test_what_is_equal_by_now_is_settled_and_the_rest_is_not(world: ProofWorld) -> None:
    """Each line by itself, in its order; a key that is gone on both sides is settled, too."""
    world.fill(NAMES[0])
    found = again(world, *map(reported, (NAMES[1], NAMES[0], "nowhere", NAMES[1])))
    assert [one.now for one in found] == ["missing", "settled", "settled", "missing"]
    assert [one.is_settled for one in found] == [False, True, True, False]


def test_a_part_whose_differences_are_settled_is_proven(world: ProofWorld) -> None:
    """As of its last comparison; the mark of a whole run learns of it, too."""
    world.once()
    assert world.standing().differences == 2
    again(world, *map(reported, NAMES[:2]))
    assert world.standing().differences == 2
    world.fill(NAMES[0])
    again(world, *map(reported, NAMES[:2]))
    standing = world.standing()
    assert (standing.differences, standing.proven_at) == (1, None)
    (one,) = again(world, reported(NAMES[1]), repair=True)
    assert (one.now, one.outcome, one.is_settled) == ("missing", Outcome.PUT, True)
    standing = world.standing()
    assert standing.differences == 0 and standing.proven_at is not None


def test_a_part_at_work_is_left_to_whoever_works_at_it(world: ProofWorld) -> None:
    """Its row is another's to write; it finds out when it compares the part again."""
    world.once()
    world.fill(*NAMES)
    asked: list[object] = []

    def ask(_: object) -> None:
        if not asked:
            asked.append(again(world, *map(reported, NAMES[:2])))

    world.once(Heard(ask))
    assert asked and world.standing().differences == 0


def test_an_item_whose_rule_failed_is_laid_anew(world: ProofWorld) -> None:
    """Where it lies was not known; now it is, and it is looked at there."""
    failing = replace(world.task, rules=Rules(set=(("size", "length(size)"),)))
    mended = replace(world.task, rules=Rules(set=(("size", "length(pk)"),)))
    line = reported(NAMES[0], "failed")
    (one,) = again(world, line, task=failing)
    assert (one.now, one.is_settled) == ("failed", False)
    (one,) = again(world, line, task=mended)
    assert (one.now, one.is_settled) == ("missing", False)
    (one,) = again(world, line, task=mended, repair=True)
    assert one.outcome is Outcome.PUT


def test_an_item_whose_rule_failed_and_that_is_gone_by_now_is_looked_for(
    world: ProofWorld,
) -> None:
    """What the destination holds of it may be older than the rule that failed, and goes nowhere."""
    world.delete(world.task.source, NAMES[5])
    mended = replace(world.task, rules=Rules(set=(("size", "length(pk)"),)))
    line = reported(NAMES[5], "failed")
    (one,) = again(world, line, task=mended)
    assert (one.now, one.is_settled) == ("extra", False)
    (one,) = again(world, line, task=mended, repair=True, delete_extra=True)
    assert one.outcome is Outcome.DELETED
    (one,) = again(world, line, task=mended)
    assert one.now == "settled"


def test_of_an_item_that_is_gone_and_lay_wherever_its_rules_said_nothing_is_known(
    world: ProofWorld,
) -> None:
    """Its key alone does not tell where the destination may hold it still."""
    world.delete(world.task.source, NAMES[5])
    moving = replace(world.task, rules=Rules(set=(("pk", "join('#', [kind, pk])"),)))
    (one,) = again(world, reported(NAMES[5], "failed"), task=moving)
    assert (one.now, one.is_settled) == ("undecided", False)


def test_an_item_whose_rule_fails_by_now_is_not_settled(world: ProofWorld) -> None:
    """Though it was reported under a key that is not the source's, whose rule did not fail then."""
    rules = Rules(set=(("pk", "join('#', ['x', pk])"), ("size", "length(size)")))
    key = canonical_key({"pk": {"S": f"x#{NAMES[0]}"}})
    line = Reported("missing", Pair(key, canonical_key({"pk": {"S": NAMES[0]}})), 0)
    (one,) = again(world, line, task=replace(world.task, rules=rules))
    assert (one.now, one.is_settled) == ("failed", False)


def test_a_whole_run_is_a_proof_of_all_parts(world: ProofWorld) -> None:
    """What it found is open until the keys settle."""

    def run() -> None:
        began = world.clock.now()
        chosen = VerifyOptions(patience=0.0, processes=1)
        halt = TurningHalt(world.clock)
        verified = run_verify(world.task, chosen, Heard(), halt, world.clock)
        note_run(world.task, verified, began, world.clock, world.clock.turn, pytest.fail)

    run()
    standing = world.standing()
    assert (standing.parts, standing.differences, standing.proven_at) == (0, 2, None)
    world.fill(*NAMES[:2])
    again(world, *map(reported, NAMES[:2]))
    assert world.standing().proven_at is not None
    world.clock.turn(500)
    run()
    assert world.standing().age(world.clock.now()) == pytest.approx(0, abs=60)

"""A proof kept up part by part: by whom, how far, and what it comes to."""

from __future__ import annotations

import os
import signal
from multiprocessing import get_context
from typing import Any

import pytest

from kcl_processor import costs
from kcl_processor.aws import clients
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.running import StillRunning
from kcl_processor.launch.copy_mark import DEAD
from kcl_processor.launch.proof import KEY, note_whole, read_proof, replica_of
from kcl_processor.launch.proof_part import Open, PartProof
from kcl_processor.table.compare import Difference
from kcl_processor.table.held_row import PartTaken
from kcl_processor.table.pace import Halted
from kcl_processor.table.proof_notes import refuse_proving
from kcl_processor.table.proof_task import ProofRow, cut
from kcl_processor.table.sides import Kind, Pair
from kcl_processor.table.table_reader import Segment
from kcl_processor.table.verify_share import Compared, Found, SegmentResult
from kcl_processor.table.verify_task import Book
from tests.table.proven import Heard, ProofWorld

NAMES = [f"item-{number}" for number in range(40)]
PARTS, SEGMENTS = cut(0)


@pytest.fixture
def world(moto_url: str) -> ProofWorld:
    """Two equal tables."""
    world = ProofWorld(moto_url)
    world.fill(*NAMES)
    return world


@pytest.mark.parametrize(
    ("gigabytes", "parts", "each"),
    [(0, 8, 4), (4, 8, 4), (20, 20, 8), (1000, 64, 125), (1e5, 64, 128)],
)
def test_a_part_is_a_gb_and_a_segment_minutes(gigabytes: float, parts: int, each: int) -> None:
    """Neither a large table nor a small one makes rows that are large or many."""
    assert cut(int(gigabytes * 2**30)) == (parts, parts * each)


def test_a_round_that_ends_equal_proves_every_part(world: ProofWorld) -> None:
    """As of its beginning; and what it counted is each item once."""
    heard, began = Heard(), world.clock.now()
    verified = world.once(heard)
    assert sum(result.source for result in verified.results) == len(NAMES)
    assert heard.parts == list(range(PARTS))
    standing = world.standing()
    assert (standing.parts, standing.differences, standing.unsure) == (PARTS, 0, 0)
    assert standing.proven_at == pytest.approx(began, abs=60)


def test_the_next_round_begins_anew(world: ProofWorld) -> None:
    """A run that has nothing left to go on with compares every part again."""
    world.once()
    world.clock.turn(1000)
    heard = Heard()
    world.once(heard)
    assert heard.parts == list(range(PARTS))
    assert world.standing().age(world.clock.now()) == pytest.approx(0, abs=60)


def test_a_difference_is_open_until_it_is_repaired(world: ProofWorld) -> None:
    """Its part is not proven meanwhile, and the others are."""
    world.once()
    world.clock.turn(1000)
    world.delete(world.task.destination, NAMES[3])
    verified = world.once()
    assert sum(result.missing for result in verified.results) == 1
    standing = world.standing()
    assert standing.differences == 1
    assert standing.age(world.clock.now()) == pytest.approx(1000, abs=60)
    verified = world.once(repair=True)
    assert sum(result.equal_again for result in verified.results) == 1
    standing = world.standing()
    assert standing.differences == 0
    assert standing.age(world.clock.now()) == pytest.approx(0, abs=60)


def test_a_round_compares_whatever_is_noted_as_it_begins(world: ProofWorld) -> None:
    """A whole run that ends just then changes the mark; what an older round found is no result."""
    world.once()
    world.delete(world.task.destination, NAMES[0])
    task, noted = world.task, list[str]()
    events = clients.checkpoints(task).meta.events

    def note(params: dict[str, Any], **_: object) -> None:
        if params["Item"]["key"] == {"S": KEY} and not noted:
            noted.append("a whole run")
            note_whole(task, replica_of(task), world.clock.now(), Open())

    events.register("provide-client-params.dynamodb.PutItem", note)
    try:
        verified = world.once()
    finally:
        events.unregister("provide-client-params.dynamodb.PutItem", note)
    assert noted and sum(result.missing for result in verified.results) == 1


def test_a_round_that_was_cut_off_is_gone_on_with(world: ProofWorld) -> None:
    """What was compared is not compared again."""

    def stop(part: PartProof) -> None:
        if part.part == 4:
            raise Halted

    first = Heard(stop)
    with pytest.raises(Halted):
        world.once(first)
    second = Heard()
    verified = world.once(second)
    assert (first.parts, second.parts) == ([0, 1, 2, 3, 4], [5, 6, 7])
    assert sum(result.source for result in verified.results) == len(NAMES)
    assert world.standing().proven_at is not None


def test_segments_that_were_compared_before_a_kill_are_not_compared_again(
    world: ProofWorld,
) -> None:
    """The row tells them, and what they had open; whoever held it is dead after a while."""
    world.once()
    mark = read_proof(world.task)
    assert mark
    world.clock.turn(1000)
    place = Segment(2, PARTS)
    row = ProofRow(world.task, place, world.clock, world.clock.turn)
    part = row.load()
    assert part
    part.begin(world.clock.now(), mark.round + 1)
    row.take(part)
    part.enter(part.left[0], {"source": 1000, "missing": 1}, Open(["0" * 16]))
    row.write(part)
    assert world.standing().differences == 1
    # Killed here. A part that is at work is left to whoever works at it, the others are not.
    heard = Heard()
    verified = world.once(heard)
    assert heard.parts == [0, 1, 3, 4, 5, 6, 7, 2]
    assert heard.warned == ["What is left is being compared by others: waiting."]
    assert next(found for found in verified.results if found.segment == 2).missing == 1
    assert next(found for found in verified.results if found.segment == 2).source >= 1000
    assert world.standing().differences == 1
    with pytest.raises(PartTaken, match=f"Part 2/{PARTS} of the proof"):
        row.write(part)


def test_a_part_at_work_elsewhere_is_left_alone(world: ProofWorld) -> None:
    """However old its sign of life looks by this host's clock: it moves while it is watched."""
    world.once()
    owner = ProofRow(world.task, Segment(0, PARTS), world.clock, world.clock.turn)
    held = owner.load()
    assert held
    held.begin(world.clock.now(), 1)
    owner.take(held)
    world.clock.turn(2 * DEAD)

    def moves(seconds: float) -> None:
        world.clock.turn(seconds)
        owner.write(held)

    other = ProofRow(world.task, Segment(0, PARTS), world.clock, moves)
    seen = other.load()
    assert seen
    with pytest.raises(PartTaken):
        other.take(seen)
    with pytest.raises(StillRunning, match="are being compared on"):
        refuse_proving(world.task, world.clock.now())
    owner.release(held)
    refuse_proving(world.task, world.clock.now())


def test_two_rounds_at_once_compare_each_part_once(world: ProofWorld) -> None:
    """A second host joins the round that the first has begun."""
    others = Heard()

    def join(part: PartProof) -> None:
        if part.part == 1:
            world.once(others)

    first = Heard(join)
    world.once(first)
    assert sorted(first.parts + others.parts) == list(range(PARTS))
    assert len(others.parts) == PARTS - 2


def test_a_round_for_good_takes_the_oldest_part_first(world: ProofWorld) -> None:
    """And a small table is not gone round without a pause."""
    began = world.clock.now()

    def stop(_: PartProof) -> None:
        if len(heard.parts) == 2 * PARTS:
            raise Halted

    heard = Heard(stop)
    with pytest.raises(Halted):
        world.prover(heard, max_rcu="1000").forever()
    assert heard.parts == 2 * list(range(PARTS))
    assert world.clock.now() - began >= costs.PROOF_REST


def test_tables_made_anew_while_a_part_is_compared_are_not_proven(world: ProofWorld) -> None:
    """The next part begins another proof."""
    side = world.task.destination

    def replace(_: PartProof) -> None:
        if len(heard.parts) == 3:
            client = clients.tables(side)
            client.delete_table(TableName=side.table)
            client.create_table(
                TableName=side.table,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )

    heard = Heard(replace)
    verified = world.once(heard)
    assert heard.parts == [0, 1, 2, *range(PARTS)]
    assert sum(result.missing for result in verified.results) == len(NAMES)
    assert world.standing().differences == len(NAMES)


def test_a_killed_process_leaves_nothing_that_the_next_one_waits_for(world: ProofWorld) -> None:
    """It dies amid a part, with its forks."""

    def kill(part: PartProof) -> None:
        if part.part == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    killed = get_context("fork").Process(target=world.once, args=(Heard(kill),))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    heard = Heard()
    world.once(heard)
    assert heard.parts[-1] == 2 or 2 not in heard.parts
    assert not {0, 1} & set(heard.parts)
    assert world.standing().differences == 0


def test_the_rows_go_with_the_table_that_holds_them(world: ProofWorld) -> None:
    """Nothing of a proof lies elsewhere."""
    world.once()
    assert len(world.parts()) == PARTS
    name = table_names(world.task).coordinator
    rows = clients.checkpoints(world.task).scan(TableName=name)["Items"]
    assert sum("KclProcessorProof" in row["key"]["S"] for row in rows) == PARTS + 1


@pytest.mark.parametrize(("held", "unsure"), [(7, 0), (8, 1)])
def test_what_cannot_be_traced_is_no_doubt_where_both_sides_have_the_same_keys(
    world: ProofWorld, held: int, unsure: int
) -> None:
    """Of a whole run: its sums of keys are of all parts at about one time."""
    book = Book([Segment(0, 1)], Heard(), world.task)
    pair = Pair(b"{}", None)
    book.hear(0, Found(Difference(0, pair, Kind.UNTRACED, [], None, b"{}"), None))
    result = SegmentResult(0, untraced=1, laid_keys=7, held_keys=held, done=True, decided=True)
    book.hear(0, Compared([result], 0, 0))
    assert book.verified(replica_of(world.task)).left == Open(unsure=unsure)

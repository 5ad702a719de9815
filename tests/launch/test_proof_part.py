"""One part of a proof: what is proven of it, and what is open."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.errors import ConfigError
from kcl_processor.launch.proof_part import MOST_KNOWN, Open, PartProof, decode, digest, encode


def part() -> PartProof:
    """Part 1 of 4, of 16 segments."""
    return PartProof("token", 1, 4, 16)


def compared(one: PartProof, began: float, *left: Open) -> PartProof:
    """A part whose segments were compared, with this left open in the first ones."""
    one.begin(began, 1)
    for at, segment in enumerate(one.left):
        one.enter(segment, {"source": 3}, left[at] if at < len(left) else Open())
    one.finish(began + 10)
    return one


def test_what_is_left_open_nowhere_is_proven_as_of_its_beginning() -> None:
    """What was compared last was compared later; what was compared first was not."""
    one = part()
    assert one.left == [1, 5, 9, 13]
    compared(one, 100.0)
    assert (one.proven_at, one.ended_at, one.counts) == (100.0, 110.0, {"source": 12})
    compared(one, 200.0, Open(["a"]))
    assert (one.proven_at, one.compared_at, one.open.known) == (100.0, 200.0, ["a"])


def test_a_comparison_that_was_cut_off_is_gone_on_with() -> None:
    """Its segments stay compared, and it is as old as its beginning."""
    one = part()
    one.begin(100.0, 1)
    one.enter(5, {"source": 3}, Open())
    one.begin(900.0, 1)
    assert (one.began_at, one.left) == (100.0, [1, 9, 13])
    compared(one, 900.0)
    assert one.proven_at == 100.0
    one.begin(2000.0, 1)
    assert (one.began_at, len(one.left), one.counts) == (2000.0, 4, {})


def test_the_last_key_that_settles_proves_the_part() -> None:
    """As of the comparison in which it differed: all others were equal then."""
    one = compared(part(), 100.0, Open(["a"]), Open(["b"]))
    one.settle({"a"})
    assert (one.proven_at, one.open.known) == (0.0, ["b"])
    one.settle({"b"})
    assert one.proven_at == 100.0


@pytest.mark.parametrize("left", [Open(more=1), Open(unsure=1)])
def test_what_is_known_by_its_number_alone_settles_with_the_next_comparison(left: Open) -> None:
    """No key that is equal can be one of these for sure."""
    one = compared(part(), 100.0, left)
    one.settle({"a", "b"})
    assert one.proven_at == 0.0
    assert compared(one, 200.0).proven_at == 200.0


def test_the_row_of_the_worst_part_is_small() -> None:
    """A row holds 400 KB at most, and this one is written every five seconds."""
    one = PartProof("0" * 32, 63, 64, 64 * 128)
    for began in (1_700_000_000.123, 1_700_100_000.123):
        one.begin(began, 1)
        for segment in one.left:
            left = Open()
            for key in range(10):
                left.note(digest(b"%d/%d/%f" % (segment, key, began), None))
            one.enter(segment, dict.fromkeys(map(str, range(12)), 1_000_000_000), left)
        if began < 1_700_100_000:
            one.finish(began + 1)
    assert len(one.open.known) == len(one.found.known) == MOST_KNOWN
    assert one.open.more == 1280 - MOST_KNOWN
    assert len(zlib.compress(encode(one))) < 8_000


def test_a_row_is_read_as_it_was_written() -> None:
    """One of another version is told as such."""
    one = compared(part(), 100.0, Open(["a"], 2, 3))
    assert decode({"progress": {"B": zlib.compress(encode(one))}}) == one
    assert decode(None) is None
    with pytest.raises(ConfigError, match="proof"):
        decode({"progress": {"B": zlib.compress(b'{"more": 1}')}})


def test_a_key_is_told_from_another_by_both_sides() -> None:
    """And what it is, is not told."""
    names = {digest(b"a", b"b"), digest(b"b", b"a"), digest(b"a", None), digest(b"a", b"a")}
    assert len(names) == 4 and all(len(name) == 16 for name in names)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.just([None]),
    st.just({"a": "b"}),
)  # fmt: skip


@given(st.sampled_from([one.name for one in fields(PartProof)]), ANYTHING)
def test_a_row_of_anything_is_a_part_or_is_refused(name: str, value: object) -> None:
    """Another version, or a hand, wrote it; what is read can be counted with."""
    written = json.loads(encode(compared(part(), 100.0, Open(["a"], 2, 3)))) | {name: value}
    row = {"progress": {"B": zlib.compress(json.dumps(written).encode())}}
    try:
        read = decode(row)
    except ConfigError:
        return
    assert read
    read.settle({"a"})
    assert max(read.proven_at, read.compared_at, read.ended_at) >= 0 or name.endswith("_at")

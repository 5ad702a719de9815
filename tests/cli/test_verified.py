"""What a verification came to, in words and exit codes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from kcl_processor.cli.verified import exit_code, print_result
from kcl_processor.config.task import SKIP, Task
from kcl_processor.errors import ExitCode
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.proof import Replica
from kcl_processor.launch.proof_part import Open
from kcl_processor.table.verify_share import SegmentResult
from kcl_processor.table.verify_task import Verified, VerifyOptions
from kcl_processor.transform.rules import Rules
from tests.kcl_tables import make_task

TABLE = Incarnation("arn:aws:dynamodb:us-east-1:1:table/t", 0.0)
REPLICA = Replica(TABLE, TABLE, "")


def verified(*, settled: int = 0, **counts: int) -> Verified:
    """A verification of one segment that came to this."""
    result = SegmentResult(0)
    for name, count in counts.items():
        setattr(result, name, count)
    return Verified([result], settled, REPLICA, Open())


RULED = replace(make_task(), rules=Rules(where="a"))
COLLIDING = replace(make_task(), rules=Rules(set=(("pk", "a"),), allow_collisions=True))


@pytest.mark.parametrize(
    ("counts", "task", "code"),
    [
        ({"source": 3, "kept": 1}, RULED, ExitCode.OK),
        ({"missing": 1, "equal_again": 1}, RULED, ExitCode.OK),
        ({"missing": 1, "untraced": 1}, RULED, ExitCode.CRASH),
        ({"undecided": 1}, RULED, ExitCode.UNKNOWN),
        ({"untraced": 1}, RULED, ExitCode.UNKNOWN),
        ({"untraced": 1, "laid_keys": 5, "held_keys": 6}, RULED, ExitCode.UNKNOWN),
        ({"untraced": 1, "laid_keys": 5, "held_keys": 5}, RULED, ExitCode.OK),
        ({"failed": 1}, RULED, ExitCode.UNKNOWN),
        ({"colliding": 1}, RULED, ExitCode.CRASH),
        ({"colliding": 1}, COLLIDING, ExitCode.OK),
    ],
)
def test_an_exit_code_says_whether_all_was_compared(
    counts: dict[str, int], task: Task, code: ExitCode
) -> None:
    """What is kept, or collides as allowed, is no difference; what is not known is not equal."""
    assert exit_code(verified(**counts), task) == code


def test_what_rules_come_to_is_told_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its number, and what is no repair's matter with what to do."""
    found = verified(source=9, laid=7, kept=1, untraced=2, colliding=3, failed=4)
    print_result(found, RULED, VerifyOptions(), as_json=True)
    out, err = capsys.readouterr()
    total = json.loads(out)["total"]
    assert (total["source"], total["laid"], total["failed"]) == (9, 7, 4)
    for words in ("1 items are kept", "2 items of the destination", "3 items of the source"):
        assert words in err
    assert "rules fail for 4 items" in err and "Try: make the destination's key" in err


def test_a_task_without_rules_has_its_own_columns_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of rules, in the table and in JSON; deletions that are skipped add what is kept."""
    print_result(verified(source=1), make_task(), VerifyOptions(), as_json=False)
    out, err = capsys.readouterr()
    assert out.split()[:5] == ["SEGMENT", "SOURCE", "DESTINATION", "MISSING", "EXTRA"]
    assert "LAID" not in out and err == ""
    print_result(verified(kept=1), make_task(ttl_deletes=SKIP), VerifyOptions(), as_json=False)
    assert "KEPT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "settled", "told"), [(300, 500, True), (300, 120, False), (9, 18, False)]
)
def test_stores_that_scan_otherwise_are_told_with_the_cost(
    capsys: pytest.CaptureFixture[str], *, source: int, settled: int, told: bool
) -> None:
    """Some keys settle because changes were on their way; most of a table do not."""
    print_result(
        verified(source=source, settled=settled), make_task(), VerifyOptions(), as_json=True
    )
    assert ("--segments 1" in capsys.readouterr().err) is told


def test_keys_that_rules_make_are_the_reason_why_they_did_not_meet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not the stores; and that they are equal is all that is said of them."""
    print_result(verified(source=300, settled=500), RULED, VerifyOptions(), as_json=False)
    said = capsys.readouterr()
    assert "the rules may make other keys" in said.err
    assert "(500 equal when read again)" in said.out


def test_a_terminal_shows_the_segments_that_are_not_equal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what all come to; there may be a thousand of them. Elsewhere each has its line."""
    results = [SegmentResult(number, source=2, destination=2) for number in range(40)]
    results[7].missing = results[9].undecided = 1
    found = Verified(results, 0, REPLICA, Open())

    def segments() -> list[str]:
        print_result(found, make_task(), VerifyOptions(), as_json=False)
        return [line.split()[0] for line in capsys.readouterr().out.splitlines()]

    assert segments() == ["SEGMENT", *map(str, range(40)), "total", "1"]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert segments() == ["SEGMENT", "7", "9", "total", "1"]

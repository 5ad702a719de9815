"""The lifeline: the pipe tells of the daemon's death, whatever is left in it unread."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from kcl_processor.aws.wire import CONNECT_TIMEOUT, READ_TIMEOUT
from kcl_processor.replicate.lifeline import Lifeline
from kcl_processor.replicate.work import LAST_ANSWERS


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The child's end of a pipe, and the daemon's, which the test closes."""
    ours, theirs = os.pipe()
    yield ours, theirs
    os.close(ours)


def test_it_holds_until_the_other_end_is_let_go(pipe: tuple[int, int]) -> None:
    """A message that nobody has read yet hides nothing, before or after."""
    ours, theirs = pipe
    lifeline = Lifeline(ours)
    assert lifeline.holds()
    os.write(theirs, b"a message")
    assert lifeline.holds()
    os.close(theirs)
    assert not lifeline.holds()


def test_the_end_comes_after_the_patience(pipe: tuple[int, int]) -> None:
    """And not while the daemon lives."""
    ours, theirs = pipe
    ended = threading.Event()
    Lifeline(ours).watch(0.05, ended.set)
    assert not ended.wait(0.2)
    os.close(theirs)
    assert ended.wait(20)


def test_what_was_sent_is_answered_or_given_up_before_the_end() -> None:
    """A process that ended sooner would leave a request whose fate nobody waits for."""
    assert LAST_ANSWERS > CONNECT_TIMEOUT + READ_TIMEOUT

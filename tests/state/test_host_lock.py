"""Names that one live process of a host holds."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from kcl_processor.state.host_lock import hold, is_held

HOLD = """
import sys
from kcl_processor.state.host_lock import hold
lock = hold(sys.argv[1])
print(lock is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def name() -> str:
    """A name that nobody else on this host holds."""
    return f"test/{uuid.uuid4()}"


def test_a_name_is_held_by_one_at_a_time(name: str) -> None:
    """Until it is let go of; another name is another lock."""
    assert not is_held(name)
    lock = hold(name)
    assert lock is not None and is_held(name)
    assert hold(name) is None and not is_held(name + "2")
    lock.close()
    assert not is_held(name)


def test_a_killed_holder_leaves_nothing_behind(name: str) -> None:
    """The kernel lets go of what its process held, also after kill -9."""
    command = [sys.executable, "-c", HOLD, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        assert is_held(name) and hold(name) is None
        holder.kill()
    assert not is_held(name)
    lock = hold(name)
    assert lock is not None
    lock.close()

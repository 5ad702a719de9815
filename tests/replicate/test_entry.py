"""The daemon's programs for its shards begin without a word, whatever is typed meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "setup.py"


@pytest.mark.parametrize("name", ["child", "fork_server"])
def test_a_ctrl_c_while_it_is_read_in_is_the_daemons(name: str) -> None:
    """It reaches the whole terminal; what reads shards ends when the daemon says so."""
    program = f"""if True:
        import importlib.abc, os, signal, sys
        class Interrupts(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name == "kcl_processor.replicate.{name}":
                    os.kill(os.getpid(), signal.SIGINT)
                    os._exit(0)
        sys.meta_path.insert(0, Interrupts())
        from kcl_processor.replicate.entry import {name}
        {name}()
    """
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"kcl-processor-{name.replace('_', '-')} = kcl_processor.replicate.entry:{name}" in (
        SETUP.read_text()
    )

"""What is free goes back to the machine."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
from pathlib import Path
from kcl_processor.replicate.spare import give_back

def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()

# Below what the C library maps one by one; every tenth stays, and keeps the rest from going.
made = [bytes(10_000) for _ in range(4_000)]
full = resident()
made = made[::10]
give_back()
print((full - resident()) // (1 << 20))
"""


def test_what_lies_between_of_what_stays_is_given_back() -> None:
    """Of 40 MB nine tenths were freed; most of them go."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) > 15

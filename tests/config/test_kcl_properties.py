"""The properties that are let through to KCL."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import amazon_kclpy

from kcl_processor.config.kcl_properties import DEFAULTS, OWNED, SETTABLE

# Read by the daemon itself, not by a setter.
DAEMONS_OWN = {"executableName", "maxActiveThreads", "processingLanguage"}


def test_every_name_is_one_that_kcl_takes() -> None:
    """KCL passes over a name that it does not know: each of ours is a setter in its classes."""
    (jar,) = (Path(amazon_kclpy.__file__).parent / "jars").glob("amazon-kinesis-client-multilang*")
    with zipfile.ZipFile(jar) as archive:
        classes = b"".join(archive.read(n) for n in archive.namelist() if n.endswith(".class"))

    def named(text: str) -> bool:
        # CONSTANT_Utf8_info of the class file format: tag 1, length, text.
        return b"\x01" + struct.pack(">H", len(text)) + text.encode() in classes

    names = SETTABLE | OWNED.keys()
    setters = {name for name in names if named(f"set{name[0].upper()}{name[1:]}")}
    assert names - setters == DAEMONS_OWN
    assert all(map(named, DAEMONS_OWN))


def test_what_is_ours_is_not_the_operators() -> None:
    """A second value would contradict another key of the task."""
    assert not SETTABLE & OWNED.keys()
    assert DEFAULTS.keys() <= SETTABLE

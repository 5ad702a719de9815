"""What is to be known of rules before they are used, as far as it is seen without any item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kcl_processor.transform.transform import Transform


class Caution(NamedTuple):
    """What is so, what comes of it, and what to do if that is not wanted."""

    text: str
    why: str
    hint: str


def cautions(transform: Transform) -> Iterator[Caution]:
    """All of a task's rules."""
    rules = transform.rules
    if rules.allow_collisions:
        yield Caution(
            "items of the source may meet in one key of the destination",
            "it holds the one written last, and a deletion of any of them deletes it",
            "leave allow_collisions out, if each item is to be there",
        )
    if faults := list(transform.needing()):
        yield Caution(
            f"a rule fails for an item that has nothing but its key: {'; '.join(faults)}",
            "such an item stops its shard, or is set aside (on_poison)",
            "a where that asks for it, or in the expression: tags && contains(tags, 'new')",
        )
    if not transform.traces:
        by = f"{rules.python} may make any: " if rules.python else ""
        yield Caution(
            f"{by}an item of the destination does not say which of the source's items it is of",
            "verify counts it as untraced, ends with 4 while somebody writes, and deletes none",
            "do with set and rename what they can do"
            if rules.python
            else "keep the attributes of the source's key, under whatever names",
        )

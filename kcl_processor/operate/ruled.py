"""What a task's rules come to, for the doctor to tell."""

from __future__ import annotations

from collections.abc import Iterator

from kcl_processor.operate.check import Check, ok, warn
from kcl_processor.transform.cautions import cautions
from kcl_processor.transform.transform import Transform


def told(transform: Transform) -> Iterator[Check]:
    """The rules in words, the keys that they make, and what is to be known of them."""
    rules = transform.rules
    parts = {
        "where": rules.where,
        "include": ", ".join(rules.include),
        "exclude": ", ".join(rules.exclude),
        "rename": ", ".join(f"{old} to {new}" for new, old in rules.rename),
        "set": ", ".join(name for name, _ in rules.set),
        "python": rules.python,
    }
    yield ok("rules: " + "; ".join(f"{name} {what}" for name, what in parts.items() if what))
    ours, theirs = (
        ", ".join(f"{name} {kind}" for name, kind in keys.items())
        for keys in (transform.source_keys, transform.destination_keys)
    )
    may_move = ", which may change while an item's key in the source stays"
    yield ok(f"keys {ours} are laid to {theirs}{may_move if transform.moves else ''}")
    read = "read with each change" if transform.needs_old else "not needed"
    yield ok(f"the item as it was before is {read}")
    for caution in cautions(transform):
        yield warn(*caution)

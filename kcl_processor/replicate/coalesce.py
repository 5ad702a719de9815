"""Of the changes in a batch, the last one of each key."""

from __future__ import annotations

from collections.abc import Iterable

from kcl_processor.replicate.change import Change


def coalesce(changes: Iterable[Change]) -> list[Change]:
    """Keep the last change of each key, in the order in which those last changes came.

    A batch holds a key's changes in the order they were made, so writing only the last one leaves
    the item as writing all of them would. It also makes every key of a batch distinct, which
    BatchWriteItem demands of a request and which lets all requests of a batch run at once.
    """
    last: dict[bytes, Change] = {}
    for change in changes:
        last.pop(change.key, None)
        last[change.key] = change
    return list(last.values())

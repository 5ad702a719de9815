"""What is said in several rooms, in the same way."""

from __future__ import annotations


def many(number: int, one: str, more: str = "") -> str:
    """So many of something: ``1 shard``, ``2 shards``.

    Args:
        one: what a single one is called.
        more: what several are, where that is not ``one`` with an s.
    """
    return f"{number:,} {one}" if number == 1 else f"{number:,} {more or f'{one}s'}"

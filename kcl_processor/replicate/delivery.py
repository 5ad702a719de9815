"""What a delivery comes to: the changes that the source made, and what the replica is to see.

Without rules these are the same. With rules, a change may put an item under another key, delete the
one that stood for the item before, do both, or do nothing. All of it is decided from the record
alone, so what is read again comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import orjson

from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.decode import WholeChange, decode, decode_whole
from kcl_processor.replicate.refusals import Refusals
from kcl_processor.transform.transform import Image, RuleFailed, Transform

Delivered = tuple[list[Change], list[Change]]


class Reader(Protocol):
    """Makes changes of records."""

    def read(self, records: Iterable[Any]) -> Delivered:
        """The changes of a delivery as the source made them, and those to apply, in their order.

        Raises:
            OperatorError: a record cannot be understood, or its rule fails and the task stops.
        """


class PlainReader:
    """For a replica that is as the source."""

    def read(self, records: Iterable[Any]) -> Delivered:
        changes = [decode(record.binary_data, record.sequence_number) for record in records]
        return changes, changes


class RuledReader:
    """For a replica that rules make.

    Args:
        refusals: where a change goes for which a rule fails.
        keep_expired: pass over deletions that DynamoDB's time to live made.
    """

    def __init__(
        self, transform: Transform, refusals: Refusals, breaker: Breaker, *, keep_expired: bool
    ) -> None:
        self._transform = transform
        self._refusals = refusals
        self._breaker = breaker
        self._keep_expired = keep_expired

    def read(self, records: Iterable[Any]) -> Delivered:
        needs_old = self._transform.needs_old
        whole = [
            decode_whole(record.binary_data, record.sequence_number, needs_old=needs_old)
            for record in records
        ]
        return [one.change for one in whole], [write for one in whole for write in self._laid(one)]

    def _laid(self, whole: WholeChange) -> Iterator[Change]:
        """Deletion before put: of one key, the last word counts."""
        if whole.told.expired and self._keep_expired:
            return
        try:
            new = self._transform.lay(whole.image, whole.told)
        except RuleFailed as failed:
            self._breaker.rule_failed(whole.change, str(failed), self._refusals)
            # Where the item would be now is not known; where it was, it is no more.
            if self._transform.moves:
                yield from self._deletion(whole, None)
            return
        yield from self._deletion(whole, new)
        if new is not None:
            self._breaker.accepted([whole.change])
            key = canonical_key(self._transform.key_of(new))
            yield replace(whole.change, key=key, image=orjson.dumps(new), source=whole.change)

    def _deletion(self, whole: WholeChange, new: Image | None) -> Iterator[Change]:
        """Of the item that the change leaves behind, if it does."""
        if new is not None and not self._transform.moves:
            return
        try:
            old = self._old_key(whole)
        except RuleFailed:
            # So it did when the item was as it was: that never came to the replica.
            return
        if old is not None and (new is None or self._transform.key_of(new) != old):
            yield replace(whole.change, key=canonical_key(old), image=None, source=whole.change)

    def _old_key(self, whole: WholeChange) -> Image | None:
        transform, told = self._transform, whole.told
        if not transform.needs_old:
            return transform.key_for(told.keys)
        if not transform.moves:
            return self._fixed_old_key(whole)
        old = transform.lay(told.old)
        return None if old is None else transform.key_of(old)

    def _fixed_old_key(self, whole: WholeChange) -> Image | None:
        """Of an item that stays under its key while it is in the replica at all."""
        key = self._transform.key_for(whole.told.keys)
        try:
            return None if self._transform.lay(whole.told.old) is None else key
        except RuleFailed:
            # What was there before it was set aside is there still.
            return key

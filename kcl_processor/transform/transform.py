"""The rules applied: from an item of the source to the item that the replica holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from kcl_processor.errors import ConfigError
from kcl_processor.transform.expression import Expression, ExpressionFailed
from kcl_processor.transform.function import ItemChange, find, source_of
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.values import NotAValue, Value, dynamo, item_of

# An item in DynamoDB's JSON, taken apart.
Image = dict[str, Value]

# DynamoDB's own attributes in a table that was a global table of 2017 ("aws:rep:updatetime").
_RESERVED = "aws:"
REMOVE = "REMOVE"


class RuleFailed(Exception):
    """An item for which a rule cannot be worked out. The message holds none of its values."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream tells of a change besides the new item; the rules themselves see none of it.

    Attributes:
        keys: the source's key.
        event: ``INSERT``, ``MODIFY`` or ``REMOVE``.
        old: the item before the change.
        expired: whether DynamoDB's time to live deleted it.
        created: seconds since the epoch.
    """

    keys: Image
    event: str
    sequence_number: str
    created: float
    old: Image | None = None
    expired: bool = False


class Transform:
    """A task's rules between two key schemas.

    Args:
        source_keys, destination_keys: name of a key attribute to its type, S, N or B.

    Attributes:
        moves: whether an item's key in the replica may change while its key in the source stays.
        needs_old: whether a change's old image tells something that the new one does not: which
            item of the replica has to go.

    Raises:
        ConfigError: a rule cannot be compiled or found.
    """

    def __init__(
        self, rules: Rules, source_keys: Mapping[str, str], destination_keys: Mapping[str, str]
    ) -> None:
        self.rules = rules
        self.source_keys = dict(source_keys)
        self.destination_keys = dict(destination_keys)
        self._where = Expression(rules.where) if rules.where else None
        self._renamed = {old: new for new, old in rules.rename}
        self._set = [(name, Expression(text)) for name, text in rules.set]
        self._function = find(rules.python) if rules.python else None
        self._carriers = self._carried()
        self.moves = not self._key_attributes() <= set(source_keys)
        self.needs_old = bool(self._where or self._function or self.moves)

    def digest(self) -> str:
        """What is another for other rules."""
        module = source_of(self.rules.python) if self.rules.python else b""
        return hashlib.sha256(self.rules.text().encode() + module).hexdigest()

    def refuse_impossible(self) -> None:
        """Refuse rules that no item of the replica can come from, or whose items meet in one key.

        Raises:
            ConfigError: so much is sure without looking at an item.
        """
        if self._function:
            return
        for name in self.destination_keys:
            if self._comes_from(name) == frozenset():
                raise ConfigError(
                    f"The rules leave the replica's items without {name!r}, which is of the "
                    "destination's key.",
                    f"transform.set.{name}, or transform.rename",
                )
        left_out = set(self.source_keys) - self._key_attributes()
        if left_out and not self.rules.allow_collisions:
            raise ConfigError(
                "Items of the source may meet in one key of the replica: the destination's is not "
                f"made from {', '.join(map(repr, sorted(left_out)))}, which is of the source's.",
                "make the destination's key from the whole of the source's, or say "
                "transform.allow_collisions: true",
            )

    def lay(self, image: Image | None, told: Told | None = None) -> Image | None:
        """The item that the replica holds where the source holds ``image``; ``None`` for none.

        Args:
            image: ``None`` for an item that was deleted.
            told: of the change that left it so; ``None`` where a table is read.

        Raises:
            RuleFailed: a rule cannot be worked out for this item.
        """
        laid = None if image is None else self._ruled(image)
        if self._function:
            laid = self._finished(laid, image, told)
        return None if laid is None else self._with_keys(laid)

    def key_of(self, laid: Image) -> Image:
        """The key of an item of the replica."""
        return {name: laid[name] for name in self.destination_keys}

    def key_for(self, key: Image) -> Image:
        """The key in the replica of the item with a key of the source, where nothing else counts:
        where ``needs_old`` is false.

        Raises:
            RuleFailed: as :meth:`lay`.
        """
        return self.key_of(self._with_keys(self._shaped(key)))

    def origin(self, laid: Image) -> Image | None:
        """The key of the source's item that an item of the replica comes from, read from the
        replica's; ``None`` if it does not carry it."""
        if len(self._carriers) < len(self.source_keys):
            return None
        if not all(name in laid for name in self._carriers.values()):
            return None
        return {key: laid[name] for key, name in self._carriers.items()}

    def _ruled(self, image: Image) -> Image | None:
        """What the rules in the YAML come to."""
        try:
            if self._where and not self._where.holds(image):
                return None
        except ExpressionFailed as failed:
            raise RuleFailed(f"transform.where: {failed}") from failed
        return self._shaped(image)

    def _shaped(self, image: Image) -> Image:
        renamed = self._renamed
        kept = [name for name in image if self._keeps(name)]
        shaped = {name: image[name] for name in kept if name not in renamed}
        shaped.update({renamed[name]: image[name] for name in kept if name in renamed})
        for name, expression in self._set:
            try:
                value = expression.value(image)
                shaped.pop(name, None)
                if value is not None:
                    shaped[name] = dynamo(value)
            except (ExpressionFailed, NotAValue) as failed:
                raise RuleFailed(f"transform.set.{name}: {failed}") from failed
        return shaped

    def _keeps(self, name: str) -> bool:
        rules = self.rules
        if name in rules.exclude or name.startswith(_RESERVED):
            return False
        return not rules.include or name in rules.include

    def _finished(self, laid: Image | None, image: Image | None, told: Told | None) -> Image | None:
        """What the function in Python comes to; it is not asked about items outside ``where``."""
        assert self._function is not None
        if laid is None and (told is None or told.event != REMOVE):
            return None
        try:
            result = self._function(self._change(laid, image, told))
            return None if result is None else {n: dynamo(v) for n, v in result.items()}
        except Exception as error:
            # Its message may quote the item.
            raise RuleFailed(f"transform.python: {type(error).__name__}") from error

    def _change(self, laid: Image | None, image: Image | None, told: Told | None) -> ItemChange:
        new = None if laid is None else item_of(laid)
        if told is None:
            assert image is not None
            return ItemChange(item_of({name: image[name] for name in self.source_keys}), new)
        old = None if told.old is None else self._ruled(told.old)
        return ItemChange(
            item_of(told.keys),
            new,
            None if old is None else item_of(old),
            told.event,
            told.expired,
            told.sequence_number,
            told.created,
        )

    def _with_keys(self, laid: Image) -> Image:
        for name, kind in self.destination_keys.items():
            value = laid.get(name)
            if value is None:
                raise RuleFailed(f"the replica's item has no {name!r}, which is of its key")
            if value.get(kind, "") == "":
                found = "empty" if kind in value else f"of type {next(iter(value))}"
                raise RuleFailed(
                    f"{name!r} of the replica's item is {found}; the key takes one of type {kind}"
                )
        return laid

    def _key_attributes(self) -> frozenset[str]:
        """The source's attributes that the replica's key is made from; more than there are in any
        key if that is not known."""
        unknown = frozenset([*self.source_keys, ""])
        if self._function:
            return unknown
        parts = [self._comes_from(name) for name in self.destination_keys]
        return frozenset().union(*(unknown if part is None else part for part in parts))

    def _comes_from(self, name: str) -> frozenset[str] | None:
        """The source's attributes that one of the replica's is made from; ``None`` for any."""
        for target, expression in self._set:
            if target == name:
                return expression.attributes
        for target, old in self.rules.rename:
            if target == name:
                return frozenset([old] if self._keeps(old) else [])
        kept = self._keeps(name) and name not in self._renamed
        return frozenset([name] if kept else [])

    def _carried(self) -> dict[str, str]:
        """Attributes of the source's key to those of the replica that hold the same value."""
        set_again = {name for name, _ in self._set}
        carried: dict[str, str] = {}
        for key in self.source_keys:
            for name in (self._renamed.get(key, key), *self._plainly_set(key)):
                untouched = name not in set_again and self._comes_from(name) == frozenset([key])
                if untouched or name in self._plainly_set(key):
                    carried[key] = name
                    break
        return carried

    def _plainly_set(self, key: str) -> list[str]:
        """The attributes that are set to one of the source's and nothing else."""
        return [name for name, text in self.rules.set if text.strip() in (key, f'"{key}"')]


def without_reserved(image: Image) -> Image:
    """An item without DynamoDB's own attributes, which no replica may hold."""
    if not any(name.startswith(_RESERVED) for name in image):
        return image
    return {name: value for name, value in image.items() if not name.startswith(_RESERVED)}

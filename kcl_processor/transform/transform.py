"""The rules applied: from an item of the source to the item that the replica holds."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcl_processor.errors import ConfigError
from kcl_processor.transform.expression import Expression, ExpressionError, ExpressionFailed
from kcl_processor.transform.function import Function, ItemChange, find, source_of
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.values import NotAValue, Value, dynamo, image_of, item_of

# An item in DynamoDB's JSON, taken apart.
Image = dict[str, Value]

# DynamoDB's own attributes in a table that was a global table of 2017 ("aws:rep:updatetime").
RESERVED = "aws:"
# How a name of theirs begins in JSON: what does not hold this has none of them.
RESERVED_IN_JSON = b'"' + RESERVED.encode()
# A value that a key may have, by its type; a text that is a number, too, as many keys are.
_SOME: dict[str, Value] = {"S": {"S": "1"}, "N": {"N": "1"}, "B": {"B": "YQ=="}}
# Bytes that the two attributes of a key may have (developer guide, "Constraints").
_LONGEST_KEY = (2048, 1024)
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
        function: a rule in Python that has no name, where the rules name none.

    Attributes:
        moves: whether an item's key in the replica may change while its key in the source stays.
        needs_old: whether a change's old image tells something that the new one does not: which
            item of the replica has to go.
        traces: whether an item of the replica carries the key of the source's that it comes from.

    Raises:
        ConfigError: a rule cannot be compiled or found.
    """

    def __init__(
        self,
        rules: Rules,
        source_keys: Mapping[str, str],
        destination_keys: Mapping[str, str],
        *,
        function: Function | None = None,
    ) -> None:
        self.rules = rules
        self.source_keys = dict(source_keys)
        self.destination_keys = dict(destination_keys)
        self._where = _compiled("where", rules.where) if rules.where else None
        self._set = {name: _compiled(f"set.{name}", text) for name, text in rules.set}
        self._renamed = {new: old for new, old in rules.rename if self._keeps(old)}
        # What is not copied under its own name: it has another now, or another has its.
        self._moved = {name for pair in rules.rename for name in pair}
        self._function = find(rules.python) if rules.python else function
        self._carriers = {} if self._function else self._carried()
        self.traces = self._carriers.keys() >= self.source_keys.keys()
        self.moves = not self._key_attributes() <= set(source_keys)
        self.needs_old = bool(self._where or self._function or self.moves)

    def digest(self) -> str:
        """What is another for other rules, in whatever order they stand; empty for none."""
        if self.rules == Rules():
            return ""
        module = source_of(self.rules.python) if self.rules.python else b""
        return hashlib.sha256(self.rules.in_order().text().encode() + module).hexdigest()

    def refuse_impossible(self) -> None:
        """Refuse rules that no item of the replica can come from, or whose items meet in one key.

        Raises:
            ConfigError: so much is sure without looking at an item.
        """
        if self._function:
            return
        for name, kind in self.destination_keys.items():
            if fault := self._fault(name, kind):
                raise ConfigError(
                    f"By the rules no item of the replica has {name!r}, which is of the "
                    f"destination's key, of type {kind}: {fault}.",
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

    def needing(self) -> Iterator[str]:
        """Why rules fail for an item that has nothing but its key, where they do not ask for what
        it lacks in ``where``."""
        bare = {name: _SOME[kind] for name, kind in self.source_keys.items()}
        asked = self._where.attributes if self._where else frozenset()
        if asked is None:
            return
        try:
            if self._where:
                self._where.value(bare)
        except ExpressionFailed as failed:
            yield f"transform.where: {failed}"
        for name in dict.fromkeys([*self._set, *self.destination_keys]):
            parts = self._comes_from(name) or frozenset()
            if (parts & asked) - bare.keys():
                continue
            try:
                made = self._attribute(name, bare)
            except RuleFailed as failed:
                yield str(failed)
                continue
            if made is None and name in self.destination_keys and not self._function:
                yield _faulty(name, "not there")

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
        """The key in the replica of an item, whether ``where`` lets it be there or not.

        Args:
            key: the item's key in the source; the whole item where ``moves`` is true.

        Raises:
            RuleFailed: as :meth:`lay`.
        """
        own = without_reserved(key)
        made = {name: self._attribute(name, own) for name in self.destination_keys}
        return self._with_keys({name: value for name, value in made.items() if value is not None})

    def origin(self, laid: Image) -> Image | None:
        """The key of the source's item that an item of the replica comes from, read from the
        replica's; ``None`` if it does not carry it, or a rule in Python had the last word on it."""
        key = {own: laid.get(name, {}) for own, name in self._carriers.items()}
        # An item that is not of these rules may hold anything under their names.
        if not all(key.get(own, {}).get(kind) for own, kind in self.source_keys.items()):
            return None
        return key

    def _ruled(self, image: Image) -> Image | None:
        """What the rules in the YAML come to."""
        image = without_reserved(image)
        try:
            if self._where and not self._where.holds(image):
                return None
        except ExpressionFailed as failed:
            raise RuleFailed(f"transform.where: {failed}") from None
        moved, excluded, included = self._moved, self.rules.exclude, self.rules.include
        names = [name for name in included if name in image] if included else image
        laid = {n: image[n] for n in names if n not in moved and n not in excluded}
        laid.update({new: image[old] for new, old in self._renamed.items() if old in image})
        for name in self._set:
            value = self._worked_out(name, image)
            if value is not None:
                laid[name] = value
            else:
                laid.pop(name, None)
        return laid

    def _worked_out(self, name: str, image: Image) -> Value | None:
        """An attribute that is set; ``None`` if it comes to null."""
        expression = self._set[name]
        if expression.field is not None:
            found = image.get(expression.field)
            return None if found is None or "NULL" in found else found
        try:
            value = expression.value(image)
            return None if value is None else dynamo(value)
        except (ExpressionFailed, NotAValue) as failed:
            raise RuleFailed(f"transform.set.{name}: {failed}") from None

    def _attribute(self, name: str, image: Image) -> Value | None:
        """One of the replica's attributes, without the others."""
        if name in self._set:
            return self._worked_out(name, image)
        own = self._copied_from(name)
        return None if own is None else image.get(own)

    def _finished(self, laid: Image | None, image: Image | None, told: Told | None) -> Image | None:
        """What the function in Python comes to; it is not asked about items outside ``where``."""
        assert self._function is not None
        if laid is None and (told is None or told.event != REMOVE):
            return None
        try:
            finished = _returned(self._function(self._change(laid, image, told)))
        except NotAValue as refused:
            raise RuleFailed(f"transform.python: {refused}") from None
        except (Exception, SystemExit) as error:
            # Its message may quote the item, and so may the errors behind it.
            raise RuleFailed(f"transform.python: {_in_words(error)}") from None
        if finished and without_reserved(finished) is not finished:
            raise RuleFailed(f"transform.python: names in {RESERVED} are DynamoDB's own")
        return finished

    def _change(self, laid: Image | None, image: Image | None, told: Told | None) -> ItemChange:
        new = None if laid is None else item_of(laid)
        if told is None:
            assert image is not None
            return ItemChange(item_of({name: image[name] for name in self.source_keys}), new)
        return ItemChange(
            item_of(told.keys),
            new,
            self._before(told.old),
            told.event,
            told.expired,
            told.sequence_number,
            told.created,
        )

    def _before(self, image: Image | None) -> dict[str, Any] | None:
        """An item before a change, if it was in the replica: it was not if a rule failed for it."""
        try:
            laid = None if image is None else self._ruled(image)
        except RuleFailed:
            return None
        return None if laid is None else item_of(laid)

    def _with_keys(self, laid: Image) -> Image:
        for name, kind in self.destination_keys.items():
            if fault := _no_key(laid.get(name), kind):
                raise RuleFailed(_faulty(name, fault))
        if is_too_long(self.key_of(laid)):
            raise RuleFailed("the replica's item has a key that is longer than a table takes")
        return laid

    def _fault(self, name: str, kind: str) -> str | None:
        """Why no item of the replica can have a key attribute, as far as that is sure."""
        own = self._copied_from(name)
        if own is not None:
            found = self.source_keys.get(own, kind)
            return None if found == kind else f"it is the source's {own!r}, of type {found}"
        if name not in self._set:
            return "no rule makes it"
        if self._set[name].attributes != frozenset():
            return None
        try:
            fault = _no_key(self._worked_out(name, {}), kind)
        except RuleFailed as failed:
            return str(failed)
        return f"it is {fault} for every item" if fault else None

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
        if name in self._set:
            return self._set[name].attributes
        own = self._copied_from(name)
        return frozenset() if own is None else frozenset([own])

    def _copied_from(self, name: str) -> str | None:
        """The source's attribute that one of the replica's is, if it is one untouched."""
        if name in self._set:
            return self._set[name].field
        if name in self._moved:
            return self._renamed.get(name)
        return name if self._keeps(name) else None

    def _keeps(self, name: str) -> bool:
        return not name.startswith(RESERVED) and self.rules.keeps(name)

    def _carried(self) -> dict[str, str]:
        """Attributes of the source's key to those of the replica that hold the same value."""
        names = [*self.source_keys, *self._renamed, *self._set]
        copies = {self._copied_from(name): name for name in reversed(names)}
        return {key: copies[key] for key in self.source_keys if key in copies}


def digest_of(transform: Transform | None) -> str:
    """The digest of rules, or of none: empty."""
    return transform.digest() if transform else ""


def _compiled(place: str, text: str) -> Expression:
    try:
        return Expression(text)
    except ExpressionError as error:
        raise ConfigError(
            f"transform.{place}: {error.reason}, at column {error.column} of the expression.",
            f"mend transform.{place}",
        ) from error


def is_too_long(key: Image) -> bool:
    """Whether no table can hold an item of this key, nor be asked for one."""
    return any(map(_is_longer, key.values(), _LONGEST_KEY))


def _is_longer(value: Value, longest: int) -> bool:
    ((kind, content),) = value.items()
    # Of four characters in base64 three bytes are held.
    return len(content.encode()) > (longest if kind == "S" else -(-longest // 3) * 4)


def _faulty(name: str, fault: str) -> str:
    return f"{name!r} of the replica's item, which is of its key, is {fault}"


def _no_key(value: Value | None, kind: str) -> str | None:
    """What keeps a value from being one of a key, if anything does."""
    if value is None:
        return "not there"
    if kind not in value:
        return f"of type {next(iter(value))} instead of {kind}"
    return None if value[kind] else "empty"


def _returned(result: object) -> Image | None:
    if result is None:
        return None
    if not isinstance(result, Mapping):
        raise NotAValue(f"it returned a {type(result).__name__}, and no item")
    return image_of(result)


def _in_words(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at line {frame.lineno} of {Path(frame.filename).name}"


def without_reserved(image: Image) -> Image:
    """An item without DynamoDB's own attributes, which no replica may hold."""
    if not any(name.startswith(RESERVED) for name in image):
        return image
    return {name: value for name, value in image.items() if not name.startswith(RESERVED)}

"""A task's rules as they are written down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rules:
    """What of the source's items the replica holds, and how.

    Attributes:
        where: JMESPath over the source's item; one for which it is not true is not in the replica.
        include: the attributes to keep; none keeps all.
        exclude: the attributes to leave out.
        rename: pairs of a new name and the old one.
        set: pairs of an attribute of the replica and JMESPath over the source's item.
        python: ``module:function``, which has the last word.
        allow_collisions: several items of the source may meet in one key of the replica.
    """

    where: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rename: Pairs = ()
    set: Pairs = ()
    python: str | None = None
    allow_collisions: bool = False

    def keeps(self, name: str) -> bool:
        """Whether they keep an attribute of the source, under whatever name."""
        return name not in self.exclude and (not self.include or name in self.include)

    def text(self) -> str:
        """All of them in one line, the same for the same rules."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def in_order(self) -> Rules:
        """The same rules as they would be sorted: none depends on one that stands before it."""
        return replace(
            self,
            include=tuple(sorted(self.include)),
            exclude=tuple(sorted(self.exclude)),
            rename=tuple(sorted(self.rename)),
            set=tuple(sorted(self.set)),
        )

    @classmethod
    def parse(cls, text: str) -> Rules:
        """The rules of :meth:`text`.

        Raises:
            ValueError, TypeError: it is no such text.
        """
        return cls(**{name: _tuples(value) for name, value in json.loads(text).items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value

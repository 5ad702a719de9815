"""Faults that a test switches on and off while clients are at work."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from integration.simulator.wire import ERROR_NAMES, ServiceError

KINDS = ERROR_NAMES | {
    *("latency", "reset", "reset-after", "silence", "silence-after", "hollow"),
    *("empty", "unprocessed", "poison"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule: what goes wrong, in which operation, how often.

    kind: an error's name (`wire.ERROR_NAMES`), or `latency` (`milliseconds` added to a call, half
        of it before the call has its effect), `reset` (TCP reset before the call has its effect),
        `reset-after` (after it), `silence` (no effect, and no answer: reset after `milliseconds`),
        `silence-after` (the same after the effect), `hollow` (no effect, and the answer is `{}`),
        `empty` (GetRecords answers nothing and stays where it is),
        `unprocessed` (each write of a batch comes back with probability `share`),
        `poison` (ValidationException for a request that writes one of `keys`).
    operation: as in X-Amz-Target, or `*`.
    share: probability, 0 to 1.
    keys: values of the hash attribute.
    seconds: the rule ends by itself after them; None keeps it.
    """

    kind: str
    operation: str = "*"
    share: float = 1.0
    milliseconds: float = 0.0
    keys: tuple[str, ...] = ()
    seconds: float | None = None
    since: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is none of {', '.join(sorted(KINDS))}")

    def covers(self, operation: str) -> bool:
        """True if the rule holds for `operation` now."""
        if self.seconds is not None and time.monotonic() - self.since > self.seconds:
            return False
        return self.operation in ("*", operation)


class Faults:
    """The rules of one endpoint, and the dice."""

    def __init__(self, seed: int = 1) -> None:
        self.rules: tuple[Fault, ...] = ()
        self._random = random.Random(seed)

    def replace(self, rules: Iterable[dict[str, Any]]) -> None:
        """Set the rules; an empty list ends every fault. Raises ValueError, TypeError."""
        self.rules = tuple(Fault(**{**rule, "keys": tuple(rule.get("keys", ()))}) for rule in rules)

    def _rules(self, kind: str, operation: str) -> list[Fault]:
        return [rule for rule in self.rules if rule.kind == kind and rule.covers(operation)]

    def delay(self, operation: str) -> float:
        """Return the seconds that a call of `operation` takes longer."""
        return sum(rule.milliseconds for rule in self._rules("latency", operation)) / 1000

    def silence(self, kind: str, operation: str) -> float:
        """Throw the dice for `kind`, a silence; return its seconds."""
        rules = self._rules(kind, operation)
        return sum(r.milliseconds for r in rules if self._random.random() < r.share) / 1000

    def can_happen(self, kind: str, operation: str) -> bool:
        """True if a rule of `kind` holds for `operation`."""
        return bool(self._rules(kind, operation))

    def happens(self, kind: str, operation: str) -> bool:
        """Throw the dice for `kind`."""
        return any(self._random.random() < rule.share for rule in self._rules(kind, operation))

    def poisoned(self, operation: str) -> frozenset[str]:
        """Return the hash keys that are refused."""
        return frozenset(key for rule in self._rules("poison", operation) for key in rule.keys)

    def raise_error(self, operation: str) -> None:
        """Throw the dice for every error rule. Raises ServiceError."""
        for rule in self.rules:
            covers = rule.kind in ERROR_NAMES and rule.covers(operation)
            if covers and self._random.random() < rule.share:
                raise ServiceError(rule.kind)


class CallCounts:
    """Calls of each operation, and the most in one second for each operation and shard."""

    def __init__(self) -> None:
        self.total: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.most_in_a_second: dict[str, int] = {}
        self._second: dict[str, tuple[int, int]] = {}

    def count(self, operation: str) -> None:
        """Count a call."""
        self.total[operation] = self.total.get(operation, 0) + 1

    def count_error(self, name: str) -> None:
        """Count an error answer or a reset."""
        self.errors[name] = self.errors.get(name, 0) + 1

    def count_rate(self, name: str) -> None:
        """Count a call towards the rate of `name` (an operation, or an operation and a shard)."""
        now = int(time.monotonic())
        second, calls = self._second.get(name, (now, 0))
        calls = calls + 1 if second == now else 1
        self._second[name] = (now, calls)
        self.most_in_a_second[name] = max(calls, self.most_in_a_second.get(name, 0))

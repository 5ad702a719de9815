"""Changes that the destination never accepts: stop, or set them aside durably and go on."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from kcl_processor.aws.wire import Answer
from kcl_processor.clock import Clock
from kcl_processor.errors import OperatorError, PoisonError
from kcl_processor.replicate.backoff import delay
from kcl_processor.replicate.change import Change, key_names
from kcl_processor.state.dead_letters import Place, PlaceUnavailable

_log = logging.getLogger(__name__)

# The error of a change that the destination never saw: a rule cannot be worked out for its item.
RULE_FAILED = "RuleFailed"
# Attempts to set a change aside; with the capped backoff about a minute.
_ATTEMPTS = 30


@dataclass(frozen=True)
class Origin:
    """Where a refused change came from and where it was going, for the person who reads of it.

    Attributes:
        source_arn: tells the source from a table of its name in another account; empty if unknown.
    """

    task: str
    source_table: str
    destination_table: str
    shard_id: str
    source_arn: str = ""


class Refusals(Protocol):
    """Where a change goes that the destination never accepts."""

    def refuse(self, change: Change, answer: Answer) -> None:
        """Make the change durable elsewhere, or raise to stop."""


class StopOnRefusal:
    """``on_poison: stop``: end the process, so that nothing is skipped without a decision."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def refuse(self, change: Change, answer: Answer) -> None:
        """Raise :class:`PoisonError`, naming the record but none of the item's values."""
        record = (
            f"record {change.sequence_number} of shard {self._origin.shard_id} of table "
            f"{self._origin.source_table} (key attributes {', '.join(key_names([change]))})"
        )
        if answer.error == RULE_FAILED:
            raise PoisonError(
                f"The rules of task {self._origin.task} fail for {record}: {answer.message}.",
                "mend the rule, or set `on_poison: dead-letter` for this task",
            )
        raise PoisonError(
            f"Table {self._origin.destination_table} never accepts {record}: "
            f"{answer.error}: {without_values(answer.message, change)}.",
            "mend the cause on the destination, or set `on_poison: dead-letter` for this task",
        )


class DeadLetters:
    """``on_poison: dead-letter``: make the change durable elsewhere before the checkpoint.

    Args:
        on_written: called after each dead letter, for metrics.
        wait: waits for some seconds before a place that takes no letter is asked again.
    """

    def __init__(
        self,
        place: Place,
        origin: Origin,
        clock: Clock,
        on_written: Callable[[], None],
        wait: Callable[[float], None],
    ) -> None:
        self._wait = wait
        self._place = place
        self._origin = origin
        self._clock = clock
        self._on_written = on_written

    def refuse(self, change: Change, answer: Answer) -> None:
        """Put the change, with its image, where it is durable.

        Raises:
            PoisonError: that is not possible; then the change must not be passed over.
            OperatorError: its place takes no letters for minutes; a restart tries again.
        """
        line = orjson.dumps(dead_letter(change, answer, self._origin, self._clock)) + b"\n"
        try:
            self._put(line)
        except OSError as error:
            raise PoisonError(
                f"The dead letter of record {change.sequence_number} cannot be written to "
                f"{self._place}: {error.strerror}.",
                "make room there or mend its permissions, then start again",
            ) from error
        _log.warning(
            "record %s is set aside in %s: %s: %s",
            change.sequence_number,
            self._place,
            answer.error,
            without_values(answer.message, change),
        )
        self._on_written()

    def _put(self, line: bytes) -> None:
        for attempt in itertools.count(1):
            try:
                return self._place.put(line)
            except PlaceUnavailable as trouble:
                _log.warning("%s takes no dead letter yet: %s", self._place, trouble)
                if attempt == _ATTEMPTS:
                    raise OperatorError(
                        f"{self._place} takes no dead letter: {trouble}.",
                        "check that it can be reached; a supervisor starts again meanwhile",
                    ) from trouble
                self._wait(delay(attempt))


def dead_letter(change: Change, answer: Answer, origin: Origin, clock: Clock) -> dict[str, Any]:
    """A dead letter: enough to apply the change again, and to say why it was refused.

    It holds the item as the source has it, whatever rules made of it, unlike every log: keep the
    place where it goes as safe as the table.
    """
    source = change.source or change
    image = None if source.image is None else orjson.loads(source.image)
    return {
        "task": origin.task,
        "sourceTable": origin.source_table,
        **({"sourceArn": origin.source_arn} if origin.source_arn else {}),
        "destinationTable": origin.destination_table,
        "shardId": origin.shard_id,
        "sequenceNumber": change.sequence_number,
        "createdMs": change.created_ms,
        "refusedMs": int(clock.now() * 1000),
        "error": answer.error,
        "message": without_values(answer.message, change),
        "key": orjson.loads(source.key),
        "image": image,
    }


def without_values(message: str, change: Change) -> str:
    """The service's message with the item's own values blotted out.

    Some validation messages quote the value they complain about. Values of one or two characters
    stay: blotting those out would make the message unreadable and tells nobody anything.
    """
    item = orjson.loads(change.key if change.image is None else change.image)
    for value in sorted(set(_scalars(item)), key=len, reverse=True):
        if len(value) > 2:
            message = message.replace(value, "…")
    return message


def _scalars(node: object) -> Iterator[str]:
    """The values in DynamoDB JSON; names of attributes and types are no values."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for child in node.values():
            yield from _scalars(child)
    elif isinstance(node, list):
        for child in node:
            yield from _scalars(child)

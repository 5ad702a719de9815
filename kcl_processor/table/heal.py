"""Gaps made good by what exports say has changed in them.

Each noted gap has a span of time. An incremental export of it names every key that changed in that
span, whatever shard it was in; each is read at the source and made good at the destination, on
condition. What was laid since the span began is looked at, too, by an export of the destination.
Once all of them are equal the gap has lost nothing any more, and is settled: on this host, and for
others in a row beside KCL's own state, where they find it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import SKIP, Side, Task
from kcl_processor.errors import ConfigError, DestinationError, SourceError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.launch import preflight
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.replicate.change import canonical_key
from kcl_processor.state.gaps import Gap, open_gaps, settle_gap
from kcl_processor.table.export import check_files, open_export
from kcl_processor.table.export_job import (
    POLL,
    ExportFailed,
    ExportRequest,
    Telling,
    await_export,
    failure_of,
    recovery_of,
    request_export,
)
from kcl_processor.table.export_reader import ExportCursor, changed_item, export_access, laid_item
from kcl_processor.table.heal_span import (
    MARGIN,
    Span,
    Unknown,
    Window,
    joined,
    moment,
    span_of,
    windows,
    windows_there,
)
from kcl_processor.table.heal_turn import healing_turn
from kcl_processor.table.pace import Halt
from kcl_processor.table.patience import Refused
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.replay import open_repair
from kcl_processor.table.sides import Pair, Sides
from kcl_processor.table.table_reader import Item, Segment, TableReader
from kcl_processor.transform.transform import RuleFailed, Transform
from kcl_processor.words import many

_KEY = "KclProcessorHealed"
# Of so many gaps a row tells that they are healed: those whose changes are the youngest.
_MOST_TOLD = 500
# So many exports of one window are asked for by hand, should they fail, in the hours for which AWS
# knows their tokens.
BY_HAND = 20
_KNOWN_HOURS = 8
# Keys that are made good at once.
_THREADS = 8


@dataclass
class Healing:
    """What became of a gap.

    Attributes:
        open: why it is open still; ``None`` if it is healed.
        export_failed: whether that is because AWS does not come to the end of an export.
        outcomes: what became of the keys that changed in it.
    """

    gap: Gap
    open: str | None = None
    export_failed: bool = False
    outcomes: Counter[Outcome] = field(default_factory=Counter)


def run_heal(
    files: TaskFiles,
    place: tuple[str, str] | None,
    tell: Callable[[str], None],
    halt: Halt,
    clock: Clock,
    attempts: int = BY_HAND,
) -> list[Healing]:
    """Heal the gaps that are noted on this host, as far as exports can.

    Args:
        place: the bucket and the prefix to export to.
        tell: takes a line on how it goes.
        attempts: how many exports of one window may fail within eight hours, counted over all
            runs. No other is asked for then.

    Raises:
        PartTaken: another process of the fleet heals.
        OperatorError: a side, AWS or a file of notes fails.
        Halted: ``halt`` was set; what was healed is settled.
    """
    task = files.task
    healings = [Healing(gap) for gap in open_gaps(files.gaps)]
    told = _told_in(read_own(task, _KEY))
    left = []
    for healing in healings:
        if _covers(told.get(_name(healing.gap)), healing.gap):
            _settle(files, healing.gap)
        else:
            left.append(healing)
    if not left:
        return healings
    hint = "name the source table and its region as they are"
    source = preflight.describe(task.source, SourceError, hint)
    spans: dict[Span, list[Healing]] = {}
    for healing in left:
        span = span_of(healing.gap, source.get("LatestStreamArn"))
        if isinstance(span, Unknown):
            healing.open = span.reason
        elif why := _cannot_export(task, place, span):
            healing.open = why
        else:
            spans.setdefault(span, []).append(healing)
    if spans and place:
        whole = {
            span: [healing for part in parts for healing in spans[part]]
            for span, parts in joined(spans).items()
        }
        with healing_turn(task, halt, clock) as turn:
            _Healer(files, source, place, tell, turn, clock, attempts).heal(whole)
    return healings


def _cannot_export(task: Task, place: tuple[str, str] | None, span: Span) -> str | None:
    """Why what changed in a span cannot be exported, if it cannot."""
    if place is None:
        return "no --bucket was given to export to what changed in it"
    for which, side in (("source", task.source), ("destination", task.destination)):
        recovery = recovery_of(side)
        if recovery is None:
            return f"point-in-time recovery of the {which} is off"
        if recovery[0] > span.since - MARGIN:
            return f"point-in-time recovery of the {which} was turned on after it began"
    return None


class _Healer:
    """Heals gaps whose spans are known.

    Args:
        source: as DescribeTable tells it.
    """

    def __init__(
        self,
        files: TaskFiles,
        source: dict[str, Any],
        place: tuple[str, str],
        tell: Callable[[str], None],
        halt: Halt,
        clock: Clock,
        attempts: int,
    ) -> None:
        self._files = files
        self._task = task = files.task
        self._bucket, self._prefix = place
        self._tell = tell
        self._halt = halt
        self._clock = clock
        self._attempts = attempts
        self._keys = open_healer(task, _THREADS, clock, halt.wait)
        replica = preflight.describe(task.destination, DestinationError, "check the destination")
        self._source = _Asked(task.source, Incarnation.of(source), self._keys.needs_old)
        self._replica = _Asked(task.destination, Incarnation.of(replica), old=False)

    def heal(self, spans: dict[Span, list[Healing]]) -> None:
        """Export each span, and make good what it names. A span whose exports fail keeps no other
        one waiting."""
        asked: dict[Span, tuple[list[str], list[str]]] = {}
        for span, some in spans.items():
            with _open_if_failed(some):
                asked[span] = self._asked_for(span, some)
        for span, exports in asked.items():
            with _open_if_failed(spans[span]):
                self._settle_equal(spans[span], self._outcomes(*exports))

    def _outcomes(self, here: list[str], there: list[str]) -> Counter[Outcome]:
        outcomes = Counter[Outcome]()
        for arn in here:
            outcomes += self._made_good(self._source, arn, changed_item, self._keys.heal)
        for arn in there:
            outcomes += self._made_good(self._replica, arn, laid_item, self._keys.heal_laid)
        return outcomes

    def _settle_equal(self, some: list[Healing], outcomes: Counter[Outcome]) -> None:
        for healing in some:
            healing.outcomes = outcomes
            healing.open = _left_open(outcomes)
            if healing.open is None:
                _tell_others(self._task, healing.gap)
                _settle(self._files, healing.gap)

    def _asked_for(self, span: Span, some: list[Healing]) -> tuple[list[str], list[str]]:
        """The ARNs of the exports that a span takes, of the source and of the destination."""
        here = [self._export(self._source, window) for window in windows(span)]
        gaps = [healing.gap for healing in some]
        there = windows_there(span, gaps, self._clock.now())
        return here, [self._export(self._replica, one) for one in there]

    def _export(self, asked: _Asked, window: Window) -> str:
        """Ask for one export; its ARN.

        Raises:
            ExportFailed: as many as may have failed already.
        """
        self._await_end(asked.side, window)
        # A run that is killed asks for the same one again: the same token is the same export, be it
        # one that has failed.
        of = f"{asked.table} {self._bucket} {self._prefix} {window} {asked.old}"
        failure, side, wait = "", asked.side, self._halt.wait
        for attempt in range(self._attempts):
            token = hashlib.sha256(f"{of} {attempt}".encode()).hexdigest()[:32]
            request = ExportRequest(self._bucket, self._prefix, token, window, asked.old)
            arn = request_export(side, asked.table.arn, request, self._clock, wait)
            found = failure_of(side, arn, self._clock, wait)
            if found is None:
                return arn
            failure = f"{arn}: {found}"
        raise ExportFailed(
            f"{many(self._attempts, 'export')} of {side} for one span failed within "
            f"{_KNOWN_HOURS} hours, the last of them {failure}; another is asked for when these "
            "are over, or by `kcl-processor heal` once the cause is mended.",
            f"mend the cause, then kcl-processor heal {self._task.name}",
        )

    def _await_end(self, side: Side, window: Window) -> None:
        """Recovery is some minutes behind, and a window may end later than its gap."""
        telling = Telling(self._tell, self._clock)
        while True:
            recovery = recovery_of(side)
            if recovery is None or recovery[1] >= window[1] or not recovery[1]:
                return
            telling(f"Recovery of {side} has not come to the end of the gap yet")
            self._halt.wait(POLL)

    def _made_good(
        self,
        asked: _Asked,
        arn: str,
        read: Callable[[bytes], Item],
        heal: Callable[[Item], Outcome],
    ) -> Counter[Outcome]:
        side = asked.side
        url = await_export(side, arn, self._tell, self._clock, self._halt.wait)
        if url is None:
            raise SourceError(f"The export {arn} is not there any more.", "heal again")
        export = open_export(side, url, asked.table, incremental=True)
        export = check_files(side, export, range(len(export.files)))
        self._tell(f"{many(export.items, 'key')} changed in {side} by the export {export.url}.")
        access = export_access(side, export, read, self._halt.wait)
        cursor = ExportCursor(access, Segment(0, 1))
        outcomes = Counter[Outcome]()

        def unless_halted(item: Item) -> Outcome:
            # A page has a thousand keys, and tables may be far: the daemon's end is not to wait.
            self._halt.wait(0)
            return heal(item)

        with ThreadPoolExecutor(_THREADS, thread_name_prefix="heal") as pool:
            while cursor.more():
                outcomes.update(pool.map(unless_halted, cursor.fetch().items))
        return outcomes


@dataclass(frozen=True)
class _Asked:
    """A side that is exported.

    Attributes:
        old: with the images before the span, too.
    """

    side: Side
    table: Incarnation
    old: bool


class KeyHealer:
    """Makes single keys good, by what an export says of them. Safe to use from many threads."""

    def __init__(
        self,
        source: TableReader,
        sides: Sides,
        repair: Repair,
        transform: Transform | None = None,
    ) -> None:
        self._source = source
        self._sides = sides
        self._repair = repair
        self._transform = transform

    @property
    def needs_old(self) -> bool:
        """Whether what an item was before tells where the destination may hold it."""
        return self._transform is not None and self._transform.needs_old

    @property
    def _nowhere(self) -> Outcome:
        """What is to be said of an item that the rules laid nowhere as its span began, and lay
        nowhere now: what was laid in between is looked at by itself. A rule in Python may have laid
        it by more than its images."""
        by_more = self._transform is not None and self._transform.rules.python is not None
        return Outcome.LEFT if by_more else Outcome.SETTLED

    def heal(self, changed: Item) -> Outcome:
        """Make equal whatever the destination may hold of an item of the source.

        Raises:
            OperatorError: a table cannot be read or written at all.
        """
        try:
            places = self._places(changed)
            outcomes = [self._repair.apply(Pair(place, changed.key)) for place in places]
        except RuleFailed:
            return Outcome.FAILED
        except Refused:
            return Outcome.REFUSED
        return max(outcomes, key=_gravity, default=self._nowhere)

    def heal_laid(self, laid: Item) -> Outcome:
        """Make equal what was written to the destination, if it is there still.

        Raises:
            OperatorError: a table cannot be read or written at all.
        """
        if not laid.image:
            return Outcome.SETTLED
        try:
            return self._repair.apply(self._sides.pair(laid, of_source=False))
        except Refused:
            return Outcome.REFUSED

    def _places(self, changed: Item) -> set[bytes]:
        """The canonical keys under which the destination may hold an item, now or from before.

        Raises:
            RuleFailed: they cannot be worked out.
        """
        transform = self._transform
        if transform is None:
            return {changed.key}
        now = self._source.get([changed.key]).get(changed.key)
        laid = [transform.lay(orjson.loads(image)) for image in (changed.image, now) if image]
        places = {canonical_key(transform.key_of(one)) for one in laid if one is not None}
        if not places and (place := self._sides.place(changed.key)):
            places = {place}
        return places


@contextmanager
def _open_if_failed(some: Iterable[Healing]) -> Iterator[None]:
    """Leave gaps open if an export of their span fails."""
    try:
        yield
    except ExportFailed as error:
        for healing in some:
            healing.open, healing.export_failed = error.message.rstrip("."), True


def open_healer(task: Task, threads: int, clock: Clock, wait: Callable[[float], None]) -> KeyHealer:
    """What makes keys of a task's tables good.

    Raises:
        OperatorError: one of the tables is not there, or they are not a source and its replica.
    """
    opened = open_repair(task, threads, clock, wait, keeps=task.ttl_deletes == SKIP)
    return KeyHealer(opened.source, opened.sides, opened.repair, opened.transform)


def _gravity(outcome: Outcome) -> int:
    """How far an outcome is from both sides being equal."""
    return 2 if not outcome.equal else int(outcome is not Outcome.SETTLED)


def _left_open(outcomes: Counter[Outcome]) -> str | None:
    left = {outcome.value: count for outcome, count in outcomes.items() if not outcome.equal}
    if not left:
        return None
    return ", ".join(f"{many(count, 'key')}: {what}" for what, count in sorted(left.items()))


def _name(gap: Gap) -> str:
    """What has been lost, wherever and how often it was noted."""
    return f"{gap.shard} {gap.checkpoint}"


def _told_in(row: Row | None) -> dict[str, str]:
    """Gaps that were healed, by their names, with the youngest moment that was."""
    return {name: until["S"] for name, until in row["gaps"]["M"].items()} if row else {}


def _covers(healed_until: str | None, gap: Gap) -> bool:
    """Whether a gap that was healed reaches as far as one that was noted."""
    healed, noted = moment(healed_until), moment(gap.until)
    return healed is not None and noted is not None and noted <= healed


def _tell_others(task: Task, gap: Gap) -> None:
    """Let other hosts know, that have noted the same gap."""
    while True:
        row = read_own(task, _KEY)
        known = _told_in(row)
        if _covers(known.get(_name(gap)), gap):
            return
        known[_name(gap)] = str(gap.until)
        kept = sorted(known, key=known.__getitem__)[-_MOST_TOLD:]
        after: Row = {"gaps": {"M": {name: {"S": known[name]} for name in kept}}}
        if replace_own(task, _KEY, row, after):
            return


def _settle(files: TaskFiles, gap: Gap) -> None:
    try:
        settle_gap(files.gaps, gap)
    except OSError as error:
        raise ConfigError(
            f"A gap is healed, and that cannot be noted beside {files.gaps}: {error.strerror}.",
            "make room there or mend its permissions, then kcl-processor heal again",
        ) from error

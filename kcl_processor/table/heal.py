"""Gaps made good by what an export says has changed in them.

Each noted gap has a span of time. An incremental export of it names every key that changed in that
span, whatever shard it was in; each is read at the source and made good at the destination, on
condition. Once all of them are equal the gap has lost nothing any more, and is settled: on this
host, and for others in a row beside KCL's own state, where they find it.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import orjson

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import SKIP, Task
from kcl_processor.errors import ConfigError, SourceError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.launch import preflight
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.replicate.change import canonical_key
from kcl_processor.state.gaps import Gap, open_gaps, settle_gap
from kcl_processor.table.export import Export, check_files, open_export
from kcl_processor.table.export_job import (
    POLL,
    ExportRequest,
    Telling,
    await_export,
    recovery_of,
    request_export,
)
from kcl_processor.table.export_reader import ExportCursor, changed_item, export_access
from kcl_processor.table.heal_span import Span, Unknown, moment, span_of, windows
from kcl_processor.table.pace import Halt
from kcl_processor.table.patience import Refused
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.replay import open_repair
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_reader import Item, Segment, TableReader
from kcl_processor.transform.transform import RuleFailed, Transform

_KEY = "KclProcessorHealed"
# Of so many gaps a row tells that they are healed: those whose changes are the youngest.
_MOST_TOLD = 500
# Keys that are made good at once.
_THREADS = 8


@dataclass
class Healing:
    """What became of a gap.

    Attributes:
        open: why it is open still; ``None`` if it is healed.
        outcomes: what became of the keys that changed in it.
    """

    gap: Gap
    open: str | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)


def run_heal(
    files: TaskFiles,
    place: tuple[str, str] | None,
    tell: Callable[[str], None],
    halt: Halt,
    clock: Clock,
) -> list[Healing]:
    """Heal the gaps that are noted on this host, as far as exports can.

    Args:
        place: the bucket and the prefix to export to.
        tell: takes a line on how it goes.

    Raises:
        OperatorError: a side, AWS or a file of notes fails.
        Halted: ``halt`` was set; what was healed is settled.
    """
    healings = [Healing(gap) for gap in open_gaps(files.gaps)]
    told = _healed_elsewhere(files.task)
    spans: dict[Span, list[Healing]] = {}
    for healing in healings:
        if _covers(told.get(_name(healing.gap)), healing.gap):
            _settle(files, healing.gap)
            continue
        span = span_of(healing.gap)
        if isinstance(span, Unknown):
            healing.open = span.reason
        else:
            spans.setdefault(span, []).append(healing)
    if why := _cannot_export(files.task, place, spans):
        for healing in itertools.chain.from_iterable(spans.values()):
            healing.open = why
    elif spans and place:
        _Healer(files, place, tell, halt, clock).heal(spans)
    return healings


def _cannot_export(
    task: Task, place: tuple[str, str] | None, spans: dict[Span, list[Healing]]
) -> str | None:
    """Why what changed cannot be exported, if it cannot."""
    if not spans:
        return None
    if place is None:
        return "no --bucket was given to export to what changed in it"
    recovery = recovery_of(task.source)
    if recovery is None:
        return "point-in-time recovery of the source is off, and without it nothing is exported"
    if recovery[0] > min(since for since, _ in spans):
        return "point-in-time recovery of the source was turned on after it began"
    return None


class _Healer:
    """Heals gaps whose spans are known."""

    def __init__(
        self,
        files: TaskFiles,
        place: tuple[str, str],
        tell: Callable[[str], None],
        halt: Halt,
        clock: Clock,
    ) -> None:
        self._files = files
        self._task = task = files.task
        self._bucket, self._prefix = place
        self._tell = tell
        self._halt = halt
        self._clock = clock
        hint = "name the source table and its region as they are"
        described = preflight.describe(task.source, SourceError, hint)
        self._table = Incarnation.of(described)
        source, repair, transform = open_repair(
            task, _THREADS, clock, halt.wait, keeps=task.ttl_deletes == SKIP
        )
        self._keys = KeyHealer(source, repair, transform)

    def heal(self, spans: dict[Span, list[Healing]]) -> None:
        """Export each span, and make good what it names."""
        asked = [(span, self._asked_for(span)) for span in spans]
        for span, exports in asked:
            outcomes = Counter[Outcome]()
            for arn in exports:
                outcomes += self._made_good(arn)
            for healing in spans[span]:
                healing.outcomes = outcomes
                healing.open = _left_open(outcomes)
                if healing.open is None:
                    _tell_others(self._task, healing.gap)
                    _settle(self._files, healing.gap)

    def _asked_for(self, span: Span) -> list[str]:
        """The ARNs of the exports of a span."""
        self._await_end(span)
        source, wait = self._task.source, self._halt.wait
        return [
            request_export(source, self._table.arn, self._request(window), self._clock, wait)
            for window in windows(span)
        ]

    def _request(self, window: Span) -> ExportRequest:
        # A run that is killed asks for the same one again, and the same token is the same export.
        of = f"{self._table} {self._bucket} {self._prefix} {window}"
        token = hashlib.sha256(of.encode()).hexdigest()[:32]
        old = self._keys.needs_old
        return ExportRequest(self._bucket, self._prefix, token, window, old)

    def _await_end(self, span: Span) -> None:
        """Recovery is some minutes behind, and a span is not shorter than an export's shortest."""
        telling = Telling(self._tell, self._clock)
        while True:
            recovery = recovery_of(self._task.source)
            if recovery is None or recovery[1] >= span[1] or not recovery[1]:
                return
            telling("Recovery of the source has not come to the end of the gap yet")
            self._halt.wait(POLL)

    def _made_good(self, arn: str) -> Counter[Outcome]:
        task, wait = self._task, self._halt.wait
        url = await_export(task.source, arn, self._tell, self._clock, wait)
        if url is None:
            raise SourceError(f"The export {arn} is not there any more.", "heal again")
        export = open_export(task, url, self._table, incremental=True)
        export = check_files(task, export, range(len(export.files)))
        self._tell(f"{export.items} keys changed by the export {export.url}.")
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="heal") as pool:
            outcomes = Counter[Outcome]()
            for page in self._pages(export):
                outcomes.update(pool.map(self._keys.heal, page))
        return outcomes

    def _pages(self, export: Export) -> Iterator[list[Item]]:
        access = export_access(self._task.source, export, changed_item, self._halt.wait)
        cursor = ExportCursor(access, Segment(0, 1))
        while cursor.more():
            self._halt.wait(0)
            yield cursor.fetch().items


class KeyHealer:
    """Makes single keys good, by what an export says of them. Safe to use from many threads."""

    def __init__(
        self, source: TableReader, repair: Repair, transform: Transform | None = None
    ) -> None:
        self._source = source
        self._repair = repair
        self._transform = transform

    @property
    def needs_old(self) -> bool:
        """Whether what an item was before tells where the destination may hold it."""
        return self._transform is not None and self._transform.needs_old

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
        # Nowhere: what is there now, if anything, is not known from the key.
        return max(outcomes, key=_gravity, default=Outcome.LEFT)

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
        if not places and not transform.rules.python and not transform.moves:
            places = {canonical_key(transform.key_for(orjson.loads(changed.key)))}
        return places


def _gravity(outcome: Outcome) -> int:
    """How far an outcome is from both sides being equal."""
    return 2 if not outcome.equal else int(outcome is not Outcome.SETTLED)


def _left_open(outcomes: Counter[Outcome]) -> str | None:
    left = {outcome.value: count for outcome, count in outcomes.items() if not outcome.equal}
    if not left:
        return None
    return ", ".join(f"{count} keys {what}" for what, count in sorted(left.items()))


def _name(gap: Gap) -> str:
    """What has been lost, wherever and how often it was noted."""
    return f"{gap.shard} {gap.checkpoint}"


def _healed_elsewhere(task: Task) -> dict[str, str]:
    """Gaps that were healed, by their names, with the youngest moment that was."""
    row = read_own(task, _KEY)
    return {name: until["S"] for name, until in row["gaps"]["M"].items()} if row else {}


def _covers(healed_until: str | None, gap: Gap) -> bool:
    """Whether a gap that was healed reaches as far as one that was noted."""
    healed, noted = moment(healed_until), moment(gap.until)
    return healed is not None and noted is not None and noted <= healed


def _tell_others(task: Task, gap: Gap) -> None:
    """Let other hosts know, that have noted the same gap."""
    while True:
        row = read_own(task, _KEY)
        known = {name: until["S"] for name, until in row["gaps"]["M"].items()} if row else {}
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

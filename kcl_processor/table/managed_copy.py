"""A copy that AWS makes: an export of the source to S3, and an import of it into a new table.

The source is exported as of a moment at which its stream is on, so a daemon that follows finds in
the stream all that has changed since. An import takes items as they are, makes the table itself and
knows no local secondary indexes: where a task has rules, where the destination is there, or where
the source has such indexes, our own writer lays the export.

What AWS was asked for is written down before it is asked, so whoever goes on asks for nothing
twice. While an import runs the copy's mark keeps daemons and other copies out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError, PermissionDenied, SourceError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.running import Signs, refuse_moved, refuse_running
from kcl_processor.launch import daemon, preflight
from kcl_processor.launch.copy_mark import (
    CopyMark,
    CopyState,
    anew,
    displaced,
    disturbed,
    given_up,
    read_mark,
    refuse_stale,
    refuse_uncopied,
    refuse_unfollowed,
    replace_mark,
)
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.live_mark import forget_live_mark, refuse_live_unfinished
from kcl_processor.state.owner import own
from kcl_processor.table import copy_checks
from kcl_processor.table.copy_hold import CopyHold
from kcl_processor.table.copy_progress import CopyProgress, SegmentProgress, load, save
from kcl_processor.table.copy_sides import CopyOptions, describe
from kcl_processor.table.copy_task import Copied, await_others, lock_copy, run_copy
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.export import Export, check_files, open_export
from kcl_processor.table.export_job import (
    ExportRequest,
    await_export,
    has_recovery,
    request_export,
    turn_recovery_on,
)
from kcl_processor.table.import_job import (
    ImportFailed,
    await_import,
    find_import,
    finish_table,
    request_import,
)
from kcl_processor.table.managed_row import Steps, StepsRow
from kcl_processor.table.pace import Halt
from kcl_processor.table.prepare import described_table, make, plan

_log = logging.getLogger(__name__)

_STREAM = "The stream of the source is off, and costs nothing unread"
_RECOVERY = "Point-in-time recovery of the source is off, and costs by the table's size"


@dataclass(frozen=True)
class ManagedOptions:
    """How AWS is to copy.

    Attributes:
        bucket, prefix: where the export is to lie.
        allow: called before something is turned on at the source, with what that is and what it
            costs; raises if it may not be.
    """

    bucket: str
    prefix: str
    allow: Callable[[str], None]


def run_managed(
    managed: ManagedOptions,
    files: TaskFiles,
    options: CopyOptions,
    listener: CopyListener,
    halt: Halt,
    clock: Clock,
) -> Copied:
    """Let AWS copy a task's source, or what is left of that.

    Args:
        options: for our own writer, where that lays the export.

    Raises:
        OperatorError: a check failed, or AWS did; what was done stays, and is gone on from, unless
            the error says that it is not.
        GapError: it is whole, and has taken longer than the stream keeps what changed meanwhile.
        Halted: ``halt`` was set; AWS goes on with what it was asked for.
    """
    task = files.task
    progress = None if options.restart else load(files.copy_progress)
    with ExitStack() as locks:
        locks.enter_context(lock_copy(task, None))
        locks.enter_context(daemon.lock_worker(task, "stop it first: copy and daemon write alike"))
        own(files)
        make_kcl_tables(task)
        row = StepsRow(task)
        steps = row.load()
        if options.restart:
            row.clear()
            steps = None
        else:
            instead = f"or {anew(task)}, with the daemon stopped"
            refuse_live_unfinished(task, "copy --managed", clock.now(), instead)
        if not _is_finished(progress, steps):
            if stream := plan(task).stream:
                managed.allow(_STREAM)
                make(stream, clock, halt.wait)
            run = _Run(files, managed, options, row, listener, halt, clock)
            if run.imports(steps):
                copied = run.imported(steps)
                row.clear()
                if not copied.progress.forced:
                    # It is whole, and took longer than the stream keeps what changed meanwhile.
                    refuse_unfollowed(task, copied.progress.started_at, clock.now())
                return copied
            options = replace(options, export=run.exported(steps).url)
    # The locks are its own. Of a copy that was finished before it says so.
    copied = run_copy(files, options, listener, halt, clock)
    row.clear()
    return copied


def _is_finished(progress: CopyProgress | None, steps: Steps | None) -> bool:
    """Whether nothing is left to ask AWS for."""
    if progress is None or progress.finished_at is None:
        return False
    return steps is None or steps.token == progress.token


class _Run:
    """One run of it, on a host that holds the copy's locks."""

    def __init__(
        self,
        files: TaskFiles,
        managed: ManagedOptions,
        options: CopyOptions,
        row: StepsRow,
        listener: CopyListener,
        halt: Halt,
        clock: Clock,
    ) -> None:
        self._files = files
        self._task: Task = files.task
        self._managed = managed
        self._options = options
        self._row = row
        self._listener = listener
        self._halt = halt
        self._clock = clock
        self._facts = preflight.check_source(self._task.source)
        hint = "name the source table and its region as they are"
        self._source: dict[str, Any] = preflight.describe(self._task.source, SourceError, hint)
        self._mark: CopyMark | None = None
        self._signs: Signs = {}

    def imports(self, steps: Steps | None) -> bool:
        """Whether AWS imports, and not our own writer.

        Raises:
            ConfigError: AWS cannot, and there is no destination for our own writer.
        """
        if steps and steps.importing:
            return True
        there = described_table(self._task.destination) is not None
        why = None
        if self._task.rules is not None:
            why = "the task has rules, and an import takes items as they are"
        elif self._source.get("LocalSecondaryIndexes"):
            why = "an import cannot make the local secondary indexes that the source has"
        if why and not there:
            raise ConfigError(
                f"There is no destination {self._task.destination}, and AWS cannot make it: {why}.",
                f"kcl-processor prepare {self._task.name}, then again: our own writer lays the "
                "export",
            )
        if there:
            self._listener.tell(
                "Our own writer lays the export: "
                f"{why or 'an import makes its table itself, and the destination is there'}."
            )
        return not there

    def exported(self, steps: Steps | None) -> Export:
        """Have the source exported.

        Raises:
            OperatorError: it cannot be; or nothing could be done with it.
        """
        place = self._managed.bucket, self._managed.prefix
        if steps is None:
            self._refuse_in_vain()
        elif not steps.export and (steps.bucket, steps.prefix) != place:
            steps = None
        while True:
            steps = steps or self._row.save(Steps.new(*place))
            if not steps.export:
                arn = self._asked_for(steps)
                steps = self._row.save(steps, export=arn, stream=self._facts.stream_arn)
            tell, source = self._listener.tell, self._task.source
            tell(f"AWS exports {source} to s3://{steps.bucket}/{steps.prefix}: {steps.export}.")
            try:
                url = await_export(source, steps.export, tell, self._clock, self._halt.wait)
            except SourceError:
                # Another one may do.
                self._row.clear()
                raise
            if url:
                tell(f"The export is in {url}.")
                return self._opened(url)
            self._row.clear()
            steps = None

    def imported(self, steps: Steps | None) -> Copied:
        """Have an export imported, and let a daemon follow.

        Raises:
            OperatorError: it cannot be; or nothing could be done with it.
        """
        self._refuse_displaced(steps)
        self._signs = refuse_running(self._task, self._clock, self._halt.wait)
        export = self.exported(steps)
        steps = self._row.load()
        assert steps, "an export was asked for"
        if not steps.importing:
            export = check_files(self._task.source, export, range(len(export.files)))
            copy_checks.refuse_late_stream(self._task.source, self._facts.stream_arn, export)
        elif not steps.imported and (arn := self._found(steps)):
            steps = self._row.save(steps, imported=arn)
        self._begin(steps, export)
        steps = self._row.save(steps, importing=True)
        if not steps.imported:
            arn = request_import(self._task.destination, self._source, export, steps.token)
            steps = self._row.save(steps, imported=arn)
        self._listener.tell(f"AWS imports it into {self._task.destination}: {steps.imported}.")
        try:
            self._await_whole(steps, export)
        except ImportFailed:
            # Its table may be there. Another import has another token, and goes by the same export.
            anew = Steps.new(steps.bucket, steps.prefix)
            self._row.save(anew, export=steps.export, stream=steps.stream)
            raise
        return self._finish(steps, export)

    def _refuse_in_vain(self) -> None:
        """Refuse before anything is asked for that nothing could be done with."""
        mark, now = read_mark(self._task), self._clock.now()
        if mark and not self._options.restart:
            refuse_uncopied(self._task, mark, now, started=True)
        if self._options.to_empty_only and described_table(self._task.destination):
            copy_checks.refuse_items(self._task)

    def _opened(self, url: str) -> Export:
        """An export, if it is in its bucket still: a rule there may let objects expire.

        Raises:
            SourceError: it is not, or its manifests are no longer what they were.
        """
        try:
            return open_export(self._task.source, url, Incarnation.of(self._source))
        except SourceError as error:
            raise SourceError(
                error.message,
                f"kcl-processor copy --managed --restart {self._task.name}, which exports anew",
            ) from error

    def _refuse_displaced(self, steps: Steps | None) -> None:
        """Refuse to go on with an import whose copy was given up or has lost its place: a daemon
        may have followed since, and its checkpoints are no longer to be set aside.

        Raises:
            ConfigError: the mark, which was there before the import was asked for, is not.
        """
        mark = read_mark(self._task)
        if steps is None or not steps.importing or (mark and mark.token == steps.token):
            return
        self._row.clear()
        raise displaced(self._task, mark) if mark else given_up(self._task)

    def _asked_for(self, steps: Steps) -> str:
        """Ask for an export; its ARN."""
        source, wait = self._task.source, self._halt.wait
        now = self._clock.now()
        copy_checks.await_stream(source, self._facts.stream_arn, now, wait)
        if not has_recovery(source):
            self._managed.allow(_RECOVERY)
            turn_recovery_on(source, self._clock, wait)
        request = ExportRequest(steps.bucket, steps.prefix, steps.token)
        return request_export(source, self._source["TableArn"], request, self._clock, wait)

    def _found(self, steps: Steps) -> str | None:
        """The import of a run that was cut off as it asked for it: AWS forgets a token."""
        side = self._task.destination
        table = described_table(side)
        try:
            return find_import(side, table["TableArn"], steps.token) if table else None
        except PermissionDenied as denied:
            _log.warning("Whether AWS imports already is not known: %s", denied)
            return None

    def _begin(self, steps: Steps, export: Export) -> None:
        """Keep daemons and other copies out, unless this copy does already."""
        now, forced = self._clock.now(), self._options.force
        found = read_mark(self._task)
        if found and found.token == steps.token:
            forced = forced or found.forced
            if found.state is CopyState.DISTURBED:
                raise disturbed(self._task, "the daemon ran beside it")
        # One that AWS makes already is waited for, and told of at its end.
        if not forced and not steps.imported:
            refuse_stale(self._task, export.time, now)
        mark = CopyMark.begun(steps.token, export.time, now, forced=forced, export=export.arn)
        if not replace_mark(self._task, found, mark):
            raise OperatorError(
                f"Another copy of task {self._task.name} was begun just now.", "look again"
            )
        self._mark = mark
        # Whatever a live copy has left is of a table that is gone.
        forget_live_mark(self._task)

    def _wait(self, seconds: float) -> None:
        """Wait, show that this copy lives, and see that nobody else does.

        Raises:
            ConfigError: another copy was begun, or this one was given up.
            StillRunning: a daemon is alive.
        """
        assert self._mark, "the copy has begun"
        self._halt.wait(seconds)
        refuse_moved(self._task, self._signs)
        mark = self._mark.now(CopyState.BEGUN, self._clock.now())
        if not replace_mark(self._task, self._mark, mark):
            found = read_mark(self._task)
            raise displaced(self._task, found) if found else given_up(self._task)
        self._mark = mark

    def _await_whole(self, steps: Steps, export: Export) -> None:
        side, tell = self._task.destination, self._listener.tell
        found = await_import(side, steps.imported, tell, self._clock, self._wait)
        if found.errors or found.items != export.items:
            raise ImportFailed(
                f"The import {steps.imported} took {found.items} of {export.items} items, and "
                f"{found.errors} failed. The table {side} holds a part of the items.",
                f"aws dynamodb delete-table {side.aws_options}, then again",
            )
        self._refuse_other_table(steps, found.table_id)
        finish_table(side, self._source, self._clock, self._wait)

    def _refuse_other_table(self, steps: Steps, made: str) -> None:
        """Refuse a table that is not the one that AWS imported into: nothing was copied to it.

        Raises:
            ImportFailed: that one is gone.
        """
        side = self._task.destination
        there = described_table(side)
        if there and (not made or there.get("TableId", made) == made):
            return
        again = f"kcl-processor copy --managed {self._task.name}"
        anew = f"{again} --restart, with an export of its own for the table that is there; or"
        delete = f"{anew} aws dynamodb delete-table {side.aws_options}, then {again}"
        raise ImportFailed(
            f"The table that the import {steps.imported} made was deleted since"
            + (f", and {side} is another, to which nothing is copied." if there else "."),
            delete if there else f"{again}: AWS imports once more",
        )

    def _finish(self, steps: Steps, export: Export) -> Copied:
        """Say that the copy is done: as of one that our own writer has made."""
        tables = describe(self._task, self._options)
        hold = CopyHold(self._files, tables.identity, self._clock, self._halt.wait)
        progress = CopyProgress(
            str(tables.identity.source),
            str(tables.identity.destination),
            steps.stream or tables.stream_arn,
            export.items,
            export.bytes,
            started_at=export.time,
            segments=[SegmentProgress(items=export.items, done=True)],
            token=steps.token,
            forced=bool(self._mark and self._mark.forced),
            export=export.arn,
            items=export.items,
            written=export.items,
            bytes=export.bytes,
        )
        now = self._clock.now()
        progress.updated_at, progress.seconds = now, max(0.0, now - export.time)
        hold.refuse_others(progress, restart=False)
        hold.begin(progress, self._signs)
        await_others(hold, lambda: hold.look(progress), self._listener, self._halt)
        progress.finished_at = self._clock.now()
        whole = hold.finish(progress, self._listener)
        save(self._files.copy_progress, progress)
        return Copied(progress, whole)

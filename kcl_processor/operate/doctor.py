"""Every precondition of a task, checked without changing anything but an archive on this host.

What ``run`` checks before it starts is checked here by the same functions of ``preflight``; what is
too slow or too rare for each start is added.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import queue_of
from kcl_processor.config.task import HEAL, STOP, Side, Task
from kcl_processor.errors import DestinationError, OperatorError, PermissionDenied, SourceError
from kcl_processor.fleet import coordinator
from kcl_processor.fleet.kcl_tables import KEYS, LEASE_INDEX, refuse_other_tables, table_names
from kcl_processor.fleet.leases import read_rows
from kcl_processor.fleet.running import has_leases
from kcl_processor.fleet.stream import Stream
from kcl_processor.launch import preflight
from kcl_processor.launch.claim import refuse, refuse_foreign
from kcl_processor.launch.copy_mark import CopyState, read_mark, refuse_uncopied
from kcl_processor.launch.identity import Identity, read_claim
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.launch.preflight import SourceFacts
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.launcher import class_archive
from kcl_processor.launcher.jars import check, daemon_class_path, daemon_jars
from kcl_processor.launcher.java import TESTED, Java, find_java
from kcl_processor.operate import host, identities, probes
from kcl_processor.operate.check import FAIL, Check, fail, ok, warn
from kcl_processor.operate.ruled import told
from kcl_processor.operate.stores import unlike_aws
from kcl_processor.operate.switchover import forgotten
from kcl_processor.operate.uneven import uneven_settings
from kcl_processor.state.owner import owned_files
from kcl_processor.transform.transform import digest_of
from kcl_processor.words import many


class Doctor:
    """Examines one task.

    Args:
        state, logs: where the daemon keeps its files on this host.
        wait: waits for some seconds.
        archive: makes the archive of the daemon's classes.
    """

    def __init__(
        self,
        task: Task,
        state: Path,
        logs: Path,
        java: str | None,
        clock: Clock,
        wait: Callable[[float], None],
        archive: Callable[[Path, Java, str], Path] = class_archive.make,
    ) -> None:
        self._task = task
        self._folders = {"state": state, "logs": logs}
        self._java_path = java
        self._clock = clock
        self._wait = wait
        self._archive = archive
        self._facts: SourceFacts | None = None
        self._replica: Incarnation | None = None
        self._rules = ""

    def examine(self) -> Iterator[Check]:
        """Every check, group by group, in the order in which a start would meet them."""
        groups: dict[str, Callable[[], Iterator[Check]]] = {
            "config": self._config,
            "java": self._java,
            "credentials": self._credentials,
            "source": self._source,
            "destination": self._destination,
            "dead letters": self._letters,
            "checkpoint table": self._tables,
            "fleet": self._fleet,
            "gaps": self._gaps,
            "throttle": self._throttle,
            "metrics": self._metrics,
            "host": self._host,
        }
        for group, checks in groups.items():
            try:
                for check in checks():
                    yield Check(group, check.result, check.text, check.why, check.hint)
            except OperatorError as error:
                why = "denied" if isinstance(error, PermissionDenied) else "a start would end here"
                yield Check(group, FAIL, error.message, why, error.hint)

    def _config(self) -> Iterator[Check]:
        task = self._task
        yield ok(f"task {task.name}: {task.source} to {task.destination}")
        limit = task.kcl.properties.get("maxLeasesForWorker")
        if limit:
            yield warn(
                f"maxLeasesForWorker is {limit}",
                "shards beyond workers times this number are not read by anybody",
                "leave it out of kcl.properties",
            )
        for name, why, hint in uneven_settings(os.environ):
            yield warn(f"{name} is set", why, hint)

    def _java(self) -> Iterator[Check]:
        java = find_java(self._java_path)
        yield ok(f"Java {java.version} at {java.path}")
        if not TESTED[0] <= java.version <= TESTED[-1]:
            yield warn(
                f"Java {java.version} is newer than what was tried",
                f"the daemon was tried on Java {TESTED[0]} to {TESTED[-1]}",
                "--java with an older one, should it not start",
            )
        jars, class_path = daemon_jars(), daemon_class_path()
        check(jars)
        yield ok(
            f"{len(class_path.split(':'))} jars on the daemon's class path: the launcher's, and "
            f"{len(jars)} that were compared with their SHA-256"
        )
        yield self._classes(java, class_path)

    def _classes(self, java: Java, class_path: str) -> Check:
        try:
            return ok(
                f"classes archived: {self._archive(self._folders['state'], java, class_path)}"
            )
        except OperatorError as error:
            why = "a start reads and links thousands of classes, which takes a second"
            return warn(error.message, why, error.hint)

    def _credentials(self) -> Iterator[Check]:
        yield from identities.told(self._task, self._clock)

    def _source(self) -> Iterator[Check]:
        source = self._task.source
        self._facts = facts = preflight.check_source(source)
        table = preflight.describe(source, SourceError, "try again")
        yield ok(f"table {source.table}, about {table.get('ItemCount', 0):,} items, stream on")
        yield from unlike_aws(source, table)
        probes.read_stream(self._task, facts.stream_arn)
        yield ok("the stream can be described and read")
        if source.endpoint is None:
            yield self._readers(facts.stream_arn)

    def _readers(self, arn: str) -> Check:
        try:
            readers = probes.lambda_readers(self._task, arn)
        except OperatorError as error:
            return warn("whether Lambda reads the stream is not known", error.message, error.hint)
        if not readers:
            return ok("no Lambda function reads the stream")
        return (warn if len(readers) > 1 else ok)(
            f"{len(readers)} Lambda functions read the stream: {', '.join(readers)}",
            "with more than two readers a shard, all of them are throttled",
            "remove event source mappings that are not needed",
        )

    def _destination(self) -> Iterator[Check]:
        if self._facts is None:
            yield warn("not checked", "the source's keys are not known", "mend the source first")
            return
        destination = self._task.destination
        keys, source = self._facts.keys, self._facts.table
        found, transform = preflight.check_destination(self._task, keys, source)
        self._replica, self._rules = found, digest_of(transform)
        table = preflight.describe(destination, DestinationError, "try again")
        if self._task.rules and transform:
            yield ok(f"table {destination.table} is another than the source")
            yield from told(transform)
        else:
            yield ok(f"table {destination.table} is another than the source, and has its keys")
        probes.write_destination(destination, preflight.key_schema(table), found.arn)
        yield ok("a write is accepted")
        yield from unlike_aws(destination, table)
        yield self._capacity(table)

    def _capacity(self, table: dict[str, Any]) -> Check:
        capacity = table.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0)
        if not capacity:
            return ok("capacity on demand")
        return warn(
            f"capacity is provisioned: {capacity} write units",
            "a replica needs at least the source's rate of writes, more to catch up",
            "on demand, or auto scaling with room",
        )

    def _letters(self) -> Iterator[Check]:
        place = queue_of(self._task)
        if place is None:
            return
        try:
            kept = preflight.check_queue(self._task, place)
        except preflight.QueueUnseen as unseen:
            hint = f"kcl-processor iam {self._task.name} --role kcl prints what to allow"
            yield warn(f"whether the queue {place} is there is not known", unseen.message, hint)
        except OperatorError as error:
            if self._task.on_poison != STOP:
                raise
            why = "only replay would ask for it: on_poison: stop sets nothing aside"
            yield warn(error.message, why, error.hint)
        else:
            yield ok(
                f"the queue {place} is there and keeps a letter for {kept / 86400:.3g} days; "
                "sending one and taking one out were not tried"
            )

    def _gaps(self) -> Iterator[Check]:
        """Whether one could be healed."""
        task = self._task
        if task.on_gap != HEAL:
            return
        yield from self._recovers("source", task.source, SourceError)
        yield from self._recovers("destination", task.destination, DestinationError)

    def _recovers(self, which: str, side: Side, error: type[OperatorError]) -> Iterator[Check]:
        what, why = f"point-in-time recovery of the {which} is", "a gap is told, and stays open"
        try:
            recovers = probes.recovers(side, error)
        except OperatorError as failure:
            yield warn(f"whether {what} on is not known: {failure.message}", why, failure.hint)
            return
        on = "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        mend = f"aws dynamodb update-continuous-backups {side.aws_options} {on}"
        yield ok(f"{what} on") if recovers else warn(f"{what} off", why, mend)

    def _tables(self) -> Iterator[Check]:
        client, names = clients.checkpoints(self._task), table_names(self._task)
        refuse_other_tables(self._task)
        for which, name in asdict(names).items():
            described = clients.described(client, name, OperatorError, "check kcl.endpoint")
            if described is None:
                yield ok(f"{name} is not there; the first start makes it")
                continue
            allowed = list(probes.use_table(client, name, KEYS[which], described["TableArn"]))
            yield ok(f"{name}: {', '.join(allowed)} allowed")
            if which == "leases":
                yield self._index(client, described)
        yield self._claim()
        yield self._copy()
        if live := self._live_copy():
            yield live
        yield self._switchover()

    def _copy(self) -> Check:
        task, mark = self._task, read_mark(self._task)
        refuse_uncopied(task, mark, self._clock.now(), started=has_leases(task))
        return ok("the copy is done" if mark else "no copy is unfinished")

    def _live_copy(self) -> Check | None:
        task, mark, now = self._task, read_live_mark(self._task), self._clock.now()
        if mark is None or mark.state is CopyState.DONE:
            return None
        words = mark.in_words(task.name, now)
        if mark.is_at_work(now):
            return ok(f"{words}; it is at work")
        return warn(words, "what it has not copied is missing", mark.again(task.name))

    def _switchover(self) -> Check:
        task, mark = self._task, refuse_switched(self._task)
        if mark is None:
            return self._forgotten()
        return warn(
            f"a switchover, {mark}, did not come to its end",
            f"writes to {task.source} are denied" if mark.sid else "it denies no writes",
            f"kcl-processor switchover {task.name}, which goes on with it, or with --back not",
        )

    def _forgotten(self) -> Check:
        found = forgotten(self._task, self._clock, self._wait)
        if not found:
            return ok("no switchover is open")
        return warn(
            f"statement {found[0].sid} in the source's policy is of no switchover any more",
            "it denies every write",
            f"kcl-processor switchover {self._task.name} --back",
        )

    def _claim(self) -> Check:
        task, wait = self._task, self._wait
        if self._facts is None or self._replica is None:
            refuse_foreign(task, self._clock, wait)
            return ok("no other replica's checkpoints, as far as the tables' names tell")
        ours = Identity(self._facts.table, self._facts.stream_arn, self._replica, self._rules)
        client = clients.streams(task.source)
        stream = Stream(client, ours.stream, self._clock, wait)
        refuse(task, read_claim(task), ours, stream)
        rows = read_rows(clients.checkpoints(task), table_names(task))
        if rows.leases and not coordinator.reporting(rows):
            return warn(
                f"{len(rows.leases)} leases are of a KCL before 3, such as the original library's",
                "the first start goes on where they stand, once they have run out, and makes them "
                "KCL 3's; count on no way back",
                "stop what wrote them on every host, then kcl-processor run",
            )
        return ok("the checkpoints, if there are any, are of these two tables")

    def _index(self, client: Any, table: dict[str, Any]) -> Check:
        states = {
            index["IndexName"]: index["IndexStatus"]
            for index in table.get("GlobalSecondaryIndexes", [])
        }
        state = states.get(LEASE_INDEX)
        if state is None:
            return warn(
                f"{table['TableName']} has no index {LEASE_INDEX}",
                "KCL 3 adds it at its first start, and reads nothing until it is built",
                "expect some minutes before the first record",
            )
        if state != "ACTIVE":
            return warn(
                f"the index {LEASE_INDEX} is {state}",
                "KCL assigns no lease until it is ACTIVE",
                "wait; it takes minutes",
            )
        probes.query_index(client, table["TableName"], table["TableArn"])
        return ok(f"the index {LEASE_INDEX} is ACTIVE and can be asked")

    def _fleet(self) -> Iterator[Check]:
        rows = read_rows(clients.checkpoints(self._task), table_names(self._task))
        now = self._clock.now()
        live = [
            worker.id
            for worker in coordinator.workers(rows)
            if coordinator.fresh(worker, self._task, now)
        ]
        count = many(len(live), "worker lives", "workers live")
        yield ok(f"{count}{': ' if live else ''}{', '.join(live)}")
        leader = coordinator.leader(rows)
        if leader is None:
            if live:
                yield warn("nobody leads", "one of them should, within seconds", "look again")
        elif leader.owner in live:
            yield ok(f"{leader.owner} leads")
        else:
            yield (fail if live else warn)(
                f"the leader {leader.owner} gives no sign of life",
                f"nobody assigns shards until its lock has expired, {leader.lease_seconds:.0f} s "
                "after another worker saw it last",
                f"kcl-processor leases unlock-leader {self._task.name}, should it stay so",
            )

    def _throttle(self) -> Iterator[Check]:
        when, destination = self._task.throttle_when, self._task.destination
        if when is None:
            return
        if when.command:
            yield ok("a command throttles, which each worker runs; it was not run here")
            return
        what = f"alarm {when.alarm_name} in {when.region(destination)}"
        why = "a look that fails throttles nothing"
        try:
            state = probes.alarm_state(destination, when)
        except OperatorError as failure:
            yield warn(
                f"whether {what} is there is not known: {failure.message}", why, failure.hint
            )
            return
        if state is None:
            yield warn(f"the destination's credentials find no {what}", why, probes.ALARM_HINT)
        else:
            yield ok(f"{what} is in state {state}")

    def _metrics(self) -> Iterator[Check]:
        if not self._task.metrics.publish:
            yield ok("CloudWatch metrics are off")
            return
        probes.publish_metric(self._task)
        yield ok(f"CloudWatch takes metrics of {self._task.kcl.application_name}")

    def _host(self) -> Iterator[Check]:
        owned_files(self._task, self._folders["state"])
        for what, folder in self._folders.items():
            yield host.room(what, folder)
        # The source's answers carry the time; why there is none is told where the source is.
        skew = preflight.clock_skew(self._task.source, self._clock) if self._facts else None
        if skew is not None:
            yield host.skew(skew)

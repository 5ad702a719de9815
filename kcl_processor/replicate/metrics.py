"""Figures to their readers: a heartbeat file every two seconds, CloudWatch once a minute.

All of it happens on a thread beside the record processors. Nothing here may stop or slow a shard:
what fails is logged once, and tried again at the next turn.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from kcl_processor.aws.credentials import keys
from kcl_processor.aws.network import way_to
from kcl_processor.aws.signature import Signature
from kcl_processor.clock import Clock
from kcl_processor.config.access import Access
from kcl_processor.replicate.figures import Latency, ShardFigures
from kcl_processor.replicate.spare import give_back
from kcl_processor.state.gaps import noted_gaps
from kcl_processor.state.heartbeat import (
    Counts,
    Heartbeat,
    heartbeat_file,
    remove_stale,
    write_heartbeat,
)

_log = logging.getLogger(__name__)

_BEAT_SECONDS = 2.0
# A shard of which there is no news beats more rarely: a file each is what many of them cost.
_IDLE_BEAT_SECONDS = 10.0
_PUBLISH_SECONDS = 60.0
# KCL fetches a shard's first iterator, and may note a gap, shortly before it starts the process.
_GAP_HEAD_START = 60.0

# Names in CloudWatch; the first three are the original library's.
RECORDS_WRITTEN = "RecordsWritten"
RECORDS_FAILED = "RecordsFailed"
RECORDS_RETRIED = "RecordsRetried"
BATCHES_WRITTEN = "BatchesWritten"
DEAD_LETTERS = "DeadLetters"
GAPS = "Gaps"
# And what they count.
METRICS = {
    RECORDS_WRITTEN: "written",
    RECORDS_FAILED: "refused",
    RECORDS_RETRIED: "retried",
    BATCHES_WRITTEN: "batches",
    DEAD_LETTERS: "dead_letters",
    GAPS: "gaps",
}
LATENCY_METRIC = "ReplicationLatency"

# Of an answer in the query protocol, which is XML.
_CODE = re.compile(r"<Code>(\w+)</Code>")

Publish = Callable[[Counts, Latency], None]


@dataclass
class _Told:
    """What of a shard has been told, and where."""

    published: Counts = field(default_factory=Counts)
    beat: Heartbeat | None = None

    def is_news(self, beat: Heartbeat) -> bool:
        """Whether something was done since the last heartbeat."""
        return self.beat is None or self.beat.counts != beat.counts

    def is_old(self, beat: Heartbeat) -> bool:
        """Whether it is time for another heartbeat, news or not."""
        return self.beat is None or beat.beat_at - self.beat.beat_at >= _IDLE_BEAT_SECONDS


class Reporter:
    """Reports the figures of a process' shards, all on one thread.

    Args:
        folder: where heartbeats go.
        gap_file: where the daemon notes the gaps that it passed.
        publish: sends a minute's counts and latencies away; ``None`` sends nothing.
    """

    def __init__(self, folder: Path, gap_file: Path, publish: Publish | None, clock: Clock) -> None:
        self._folder = folder
        self._gap_file = gap_file
        self._publish = publish
        self._clock = clock
        self._lock = threading.Lock()
        self._shards: dict[ShardFigures, _Told] = {}
        # Of shards that are closed, to be published with the next minute's.
        self._rest, self._rest_latency = Counts(), Latency()
        self._published_at = clock.elapsed()
        self._is_busy = False
        self._stopping = threading.Event()
        self._failing: dict[str, bool] = {}
        self._thread = threading.Thread(target=self._run, name="figures", daemon=True)

    def add(self, figures: ShardFigures) -> None:
        """Report a shard's figures, too."""
        with self._lock:
            self._shards[figures] = _Told()
            if self._thread.ident is None:
                self._thread.start()

    def remove(self, figures: ShardFigures) -> None:
        """A shard is closed: its heartbeat goes; what is unpublished of it will be published."""
        with self._lock:
            told = self._shards.pop(figures)
            beat = figures.heartbeat()
            self._rest += beat.counts.since(told.published)
            self._rest_latency.join(figures.take_latency())
        self._remove_beat(beat)

    def _remove_beat(self, beat: Heartbeat) -> None:
        # One that stays is taken for what it is by its age.
        with suppress(OSError):
            heartbeat_file(self._folder, beat.shard).unlink(missing_ok=True)

    def stop(self, patience: float) -> None:
        """Publish what is left and end, within ``patience`` seconds or without having done so."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(patience)

    def turn(self) -> None:
        """Beat, and publish if a minute has passed."""
        self._guarded("heartbeat", self._beat)
        if self._is_busy:
            give_back()
        if self._clock.elapsed() - self._published_at >= _PUBLISH_SECONDS:
            self._guarded("CloudWatch", self._send)

    def _run(self) -> None:
        self._guarded("heartbeat", lambda: remove_stale(self._folder, self._clock.now()))
        while not self._stopping.wait(_BEAT_SECONDS):
            self.turn()
        self._guarded("CloudWatch", self._send)

    def _beat(self) -> None:
        gaps = list(noted_gaps(self._gap_file))
        self._is_busy = False
        with self._lock:
            shards = list(self._shards.items())
        for figures, told in shards:
            since = figures.started_at - _GAP_HEAD_START
            beat = figures.heartbeat()
            figures.gaps = sum(gap.shard == beat.shard and gap.at >= since for gap in gaps)
            self._is_busy |= told.is_news(beat)
            if told.is_news(beat) or told.is_old(beat):
                # Not under the lock: a disk that hangs must not hold up the end of a shard.
                write_heartbeat(self._folder, beat)
                told.beat = beat
                with self._lock:
                    is_closed = figures not in self._shards
                if is_closed:
                    self._remove_beat(beat)

    def _send(self) -> None:
        # A failed minute is not sent twice: its counts go with the next one's, its latencies not.
        self._published_at = self._clock.elapsed()
        if self._publish is None:
            return
        with self._lock:
            counts, self._rest = self._rest, Counts()
            latency, self._rest_latency = self._rest_latency, Latency()
            for figures, told in self._shards.items():
                now = figures.heartbeat().counts
                counts += now.since(told.published)
                told.published = now
                latency.join(figures.take_latency())
        try:
            self._publish(counts, latency)
        except Exception:
            with self._lock:
                self._rest += counts
            raise

    def _guarded(self, what: str, do: Callable[[], None]) -> None:
        try:
            do()
        except Exception as error:
            if not self._failing.get(what):
                _log.warning("figures do not reach the %s: %s; replication goes on", what, error)
            self._failing[what] = True
        else:
            self._failing[what] = False


class CloudWatch:
    """Publishes to one namespace with a PutMetricData a minute.

    The request is put together here, in CloudWatch's query protocol: a boto3 client would cost
    each record processor some ten megabytes for this one call.

    Args:
        namespace: the application's name. The original library and KCL use it, too, so that a
            task has all its metrics in one place.
    """

    def __init__(
        self, namespace: str, region: str, endpoint: str, access: Access, clock: Clock
    ) -> None:
        self._namespace = namespace
        self._endpoint = endpoint.rstrip("/") + "/"
        self._signature = Signature("monitoring", region, keys(region, clock, access), clock)
        way = way_to(self._endpoint)
        self._http = URLLib3Session(
            proxies=way.proxies, verify=way.verify, max_pool_connections=1, timeout=(3, 10)
        )

    def __call__(self, counts: Counts, latency: Latency) -> None:
        """Publish; raise whatever goes wrong."""
        body = urlencode(form(self._namespace, counts, latency))
        request = AWSRequest(
            method="POST",
            url=self._endpoint,
            data=body,
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        )
        response = self._http.send(self._signature.sign(request))
        if response.status_code != 200:
            code = _CODE.search(response.text)
            self._signature.answered(code[1] if code else "", response.headers)
            raise RuntimeError(f"HTTP {response.status_code}: {response.text[:300]}")


def form(namespace: str, counts: Counts, latency: Latency) -> dict[str, str]:
    """PutMetricData's parameters (Amazon CloudWatch API reference, query protocol)."""
    fields = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": namespace}
    for number, (name, count) in enumerate(METRICS.items(), start=1):
        prefix = f"MetricData.member.{number}"
        fields[f"{prefix}.MetricName"] = name
        fields[f"{prefix}.Unit"] = "Count"
        fields[f"{prefix}.Value"] = str(float(getattr(counts, count)))
    if latency.count:
        prefix = f"MetricData.member.{len(METRICS) + 1}"
        fields[f"{prefix}.MetricName"] = LATENCY_METRIC
        fields[f"{prefix}.Unit"] = "Milliseconds"
        fields[f"{prefix}.StatisticValues.SampleCount"] = str(latency.count)
        fields[f"{prefix}.StatisticValues.Sum"] = str(latency.total)
        fields[f"{prefix}.StatisticValues.Minimum"] = str(latency.least)
        fields[f"{prefix}.StatisticValues.Maximum"] = str(latency.most)
    return fields

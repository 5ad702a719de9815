"""The record processors of one process, each for a shard and on a thread of its own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TextIO

from amazon_kclpy import kcl

from kcl_processor.clock import SystemClock
from kcl_processor.config.settings import Settings
from kcl_processor.errors import ExitCode
from kcl_processor.replicate.consumption import Consumption
from kcl_processor.replicate.lifeline import Lifeline
from kcl_processor.replicate.processor import ReplicaProcessor
from kcl_processor.replicate.shard import OpenShard, ShardOpener
from kcl_processor.replicate.watchdog import Watchdog
from kcl_processor.state.worker_lock import share

# Share of KCL's failover time for which a checkpoint proves ownership. The rest is for a request
# that is already on the wire to arrive before another worker can have taken the lease.
PROOF_SHARE = 0.6
# Seconds that this process outlives its daemon at most. It sends nothing from that moment on, but
# waits for the answers of what it has sent; a new daemon waits with it.
LAST_ANSWERS = 15.0
# Failover times that KCL may go on delivering records to a processor that lost its lease.
_LOST_PATIENCE = 6


class Work:
    """What the record processors of a process share.

    To make it needs neither a shard nor a thread, so that a fork finds it made.

    Args:
        lifeline: whose other end the daemon holds for as long as it lives.
        consumption: counts what is consumed of the destination.

    Raises:
        ConfigError: the bundle of certificates cannot be used.
    """

    def __init__(self, settings: Settings, lifeline: Lifeline, consumption: Consumption) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._watchdog = Watchdog(settings.watchdog, self._clock)
        self._lifeline = lifeline
        self._opener = ShardOpener(
            settings,
            self._clock,
            proof_lifetime=settings.failover_time * PROOF_SHARE,
            wait=time.sleep,
            on_progress=self._watchdog.progress,
            daemon_lives=lifeline.holds,
            consumption=consumption,
        )

    def begin(self) -> None:
        """This process is the one that will work: first of all, a new daemon counts on it."""
        if self._settings.lock:
            share(Path(self._settings.lock))
        self._watchdog.begin()
        self._lifeline.watch(LAST_ANSWERS, lambda: os._exit(ExitCode.CRASH))

    def run(self, messages: TextIO, answers: TextIO) -> None:
        """Run one record processor until its messages end.

        Raises:
            SystemExit: with an ``errors.ExitCode``. Nothing of it is under way any more.
        """
        opened: list[OpenShard] = []

        def open_shard(shard_id: str, start: str) -> OpenShard:
            opened.append(self._opener.open(shard_id, start))
            return opened[-1]

        processor = ReplicaProcessor(
            open_shard,
            self._clock,
            busy=self._watchdog.busy,
            lost_patience=_LOST_PATIENCE * self._settings.failover_time,
        )
        try:
            kcl.KCLProcess(processor, messages, answers, sys.stderr).run()
        finally:
            for shard in opened:
                shard.close()

    def end(self) -> None:
        """The process is about to end: report what its shards did last."""
        self._opener.end()

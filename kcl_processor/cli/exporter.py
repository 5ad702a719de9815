"""Serve a page of this host's tasks, and their figures to Prometheus, until it is stopped.

  /                    a page for people: each task, the worst first, its shards, lag and events
  /api/v1/tasks        what it shows, as JSON; /api/v1/tasks/TASK has all of one task
  /metrics             for Prometheus

One exporter a host serves every task of the file, however many record processors come and go. It
reads the files that they leave in the state directory; neither a scrape nor a page asks a service.
Beside them it looks at each task once a minute, as status does, at its events, and at how its
proof, its switchover, its limit and its pauses stand. What it may not read is unknown on the page,
and its series are missing. A day of each task's lag lies in the state directory.

Whoever reaches it may read all of it, so it listens at the loopback alone, unless told otherwise. A
browser is answered under localhost, an address, or a name of this host; others are to be named.
Needs the official client library: pip install 'kcl-processor[prometheus]'.

--otlp also sends the figures to an OpenTelemetry collector, once a minute and under the same names:
by HTTP, to where the variables OTEL_EXPORTER_OTLP_* say (http://localhost:4318 where they say
nothing). Needs pip install 'kcl-processor[otlp]'.

example:
  kcl-processor exporter --listen 0.0.0.0 --host replicas.example.com
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import tell
from kcl_processor.cli.ranges import whole
from kcl_processor.cli.task import add_config_argument, add_state_argument
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.paths import state_directory
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.fleet.limit import read_limit
from kcl_processor.fleet.pause import read_pauses
from kcl_processor.launch.proof import read_standing
from kcl_processor.launch.switch_mark import read_switch
from kcl_processor.operate.asked import Asked
from kcl_processor.operate.observe import Sight
from kcl_processor.operate.page_documents import Documents
from kcl_processor.operate.page_server import METRICS, Hosts, Server, Site
from kcl_processor.operate.page_watch import Ask, Watch, in_sight
from kcl_processor.state.owner import owned_files
from kcl_processor.table.under_way import comparing, copying

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from kcl_processor.operate.otlp import Sender

HELP = "serve a page of all tasks, and figures to Prometheus"

T = TypeVar("T")
# As many tasks are looked at side by side.
_PARALLEL_LOOKS = 8
# Seconds between two messages, as of OpenTelemetry's own reader.
_SENDING = 60.0
# Seconds between two thoughts of whether it is time to look.
_TICK = 0.5
# Whole tables are of a room that the page's does not know.
_WORK: dict[str, Ask] = {
    "copy": copying,
    "verify": lambda files, now: comparing(files.task, now),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--port", type=whole(0, 65_535), default=9464, metavar="N", help="default: 9464"
    )
    parser.add_argument(
        "--listen", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1"
    )
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer under this name, which leads to this host; may be repeated",
    )
    parser.add_argument(
        "--otlp", action="store_true", help="also send the figures to an OpenTelemetry collector"
    )


def run(args: argparse.Namespace) -> int:
    try:
        from prometheus_client import CollectorRegistry, make_wsgi_app

        from kcl_processor.operate.prometheus import HeartbeatCollector, Standings
    except ImportError as error:
        raise ConfigError(
            "The Prometheus client library is not installed.",
            "pip install 'kcl-processor[prometheus]'",
        ) from error
    state = state_directory(args.state_dir)
    tasks = [owned_files(task, state) for task in load_tasks(args.config)]
    clock, stopped = SystemClock(), threading.Event()

    def wait(seconds: float) -> None:
        stopped.wait(seconds)

    looking = ThreadPoolExecutor(_PARALLEL_LOOKS, "looking")
    watches = [Watch(files, clock, looking, wait, _WORK, tell) for files in tasks]
    named, pool = [files.task for files in tasks], ThreadPoolExecutor(2, "asking")

    def ask(saw: Callable[[Sight], T | None], read: Callable[[Task], T | None]) -> Asked[T]:
        return Asked(named, clock, pool, in_sight(watches, saw, read))

    standings = Standings(
        proofs=ask(lambda sight: sight.proof, read_standing),
        switches=ask(lambda sight: sight.switching, read_switch),
        limits=ask(lambda sight: sight.limit, read_limit),
        pauses=ask(lambda sight: sight.pauses, read_pauses),
        # Which of those that said so still live is seen by a look alone.
        throttled=ask(lambda sight: sight.throttled, lambda _: None),
    )
    registry = CollectorRegistry()
    collector = HeartbeatCollector(tasks, clock, standings)
    registry.register(collector)
    sender = _sender(collector, clock) if args.otlp else None
    documents = Documents(watches, clock, lambda text: as_called(text, args))
    site = Site(documents, make_wsgi_app(registry), Hosts(args.listen, args.host))
    server = _server(args, site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for path in ("/", METRICS):
        tell(server.url(args.listen, path))
    if sender:
        threading.Thread(target=_send, args=(sender, stopped), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    while not stopped.wait(_TICK):
        for watch in watches:
            watch.tick()
    # A look that waits for a service which is silent would hold the end up for minutes. What looks
    # write is replaced whole.
    os._exit(ExitCode.OK)


def _sender(collector: Collector, clock: Clock) -> Sender:
    try:
        from kcl_processor.operate.otlp import Sender
    except ImportError as error:
        raise ConfigError(
            "OpenTelemetry's exporter is not installed.", "pip install 'kcl-processor[otlp]'"
        ) from error
    try:
        return Sender(collector, clock, tell)
    except ValueError as error:
        raise ConfigError(
            f"OpenTelemetry's exporter does not take its variables: {error}.",
            "env | grep OTEL_",
        ) from error


def _send(sender: Sender, stopped: threading.Event) -> None:
    while True:
        sender.send()
        if stopped.wait(_SENDING):
            return


def _server(args: argparse.Namespace, site: Site) -> Server:
    try:
        return Server(args.listen, args.port, site)
    except OSError as error:
        hint = "--port N" if error.errno == errno.EADDRINUSE else "--listen 127.0.0.1"
        raise ConfigError(f"{args.listen}:{args.port}: {error.strerror}.", hint) from error

"""Serve the figures of this host's tasks to Prometheus, until it is stopped.

One exporter a host serves every task of the file, however many record processors come and go. It
reads the files that they leave in the state directory; a scrape asks no service. Beside the scrapes
it looks once a minute how each task's proof stands, which verify keeps, its switchover and its
limit: where it may not read the checkpoints or describe the tables, these series are missing. Needs
the official client library: pip install 'kcl-processor[prometheus]'.

example:
  kcl-processor exporter --listen 0.0.0.0 --port 9464
"""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from kcl_processor.cli.ranges import whole
from kcl_processor.cli.task import add_config_argument, add_state_argument
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import state_directory
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.fleet.limit import read_limit
from kcl_processor.launch.proof import read_standing
from kcl_processor.launch.switch_mark import read_switch
from kcl_processor.state.owner import owned_files

HELP = "serve figures to Prometheus"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--port", type=whole(0, 65_535), default=9464, metavar="N", help="default: 9464"
    )
    parser.add_argument(
        "--listen", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1"
    )


def run(args: argparse.Namespace) -> int:
    try:
        from prometheus_client import CollectorRegistry, start_http_server

        from kcl_processor.operate.prometheus import Asked, HeartbeatCollector
    except ImportError as error:
        raise ConfigError(
            "The Prometheus client library is not installed.",
            "pip install 'kcl-processor[prometheus]'",
        ) from error
    registry = CollectorRegistry()
    state = state_directory(args.state_dir)
    tasks = [owned_files(task, state) for task in load_tasks(args.config)]
    clock = SystemClock()
    named, pool = [files.task for files in tasks], ThreadPoolExecutor(2, "asking")
    proofs = Asked(named, clock, pool, read_standing)
    switches = Asked(named, clock, pool, read_switch)
    limits = Asked(named, clock, pool, read_limit)
    registry.register(HeartbeatCollector(tasks, clock, proofs, switches, limits))
    try:
        server, _ = start_http_server(args.port, args.listen, registry)
    except OSError as error:
        hint = "--port N" if error.errno == errno.EADDRINUSE else "--listen 127.0.0.1"
        raise ConfigError(f"{args.listen}:{args.port}: {error.strerror}.", hint) from error
    print(f"http://{args.listen}:{server.server_port}/metrics", file=sys.stderr, flush=True)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    stopped.wait()
    return ExitCode.OK

"""`python -m integration.simulator`: one simulation in its own process, until SIGTERM.

Prints one JSON line when ready: source_url, destination_url, stream_arn, table,
destination_table, region, pid.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
from dataclasses import MISSING, fields

import orjson

from integration.simulator.control import Control
from integration.simulator.endpoint import HOST
from integration.simulator.live import Load
from integration.simulator.simulator import Settings, Simulator


def parser() -> argparse.ArgumentParser:
    """Return the parser: one option for each field of Settings and Load."""
    options = argparse.ArgumentParser(prog="python -m integration.simulator")
    for field in (*fields(Settings), *fields(Load)):
        assert field.default is not MISSING
        name = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            action = argparse.BooleanOptionalAction
            options.add_argument(name, action=action, default=field.default)
        else:
            kind = str if field.default is None else type(field.default)
            options.add_argument(name, type=kind, default=field.default)
    return options


async def run(settings: Settings, load: Load) -> None:
    """Run a simulator until SIGTERM or SIGINT.

    The preloaded changes never become garbage: passing over them in every collection would cost a
    benchmark CPU.
    """
    simulator = Simulator(settings, load)
    gc.freeze()
    gc.set_threshold(100_000)
    await simulator.start(Control(simulator).page)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    ready = {
        "source_url": f"http://{HOST}:{simulator.endpoints['source'].port}",
        "destination_url": f"http://{HOST}:{simulator.endpoints['destination'].port}",
        "stream_arn": simulator.source.stream.arn,
        "table": settings.table,
        "destination_table": settings.destination_table,
        "region": settings.region,
        "pid": os.getpid(),
    }
    sys.stdout.write(orjson.dumps(ready).decode() + "\n")
    sys.stdout.flush()
    await ended.wait()
    await simulator.stop()


def main() -> None:
    """Parse the command line and run."""
    given = vars(parser().parse_args())
    settings = Settings(**{field.name: given[field.name] for field in fields(Settings)})
    asyncio.run(run(settings, Load(**{field.name: given[field.name] for field in fields(Load)})))


if __name__ == "__main__":
    main()

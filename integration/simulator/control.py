"""The control interface: what a test may do to a running simulator, over HTTP.

`POST /_control` takes one JSON object of actions, each a member of `Control.actions`. `GET
/_status`, `GET /_verdict` and `GET /_differences` answer JSON. Both ports serve them; in an outage
use the other port.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from integration.simulator.simulator import Simulator
from integration.simulator.stream import Stream


class Control:
    """Maps requests to the simulator; an action's answer is what it returns."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._outages: set[asyncio.Task[None]] = set()
        self._gaps = 0
        self.actions: dict[str, Callable[[Any], Any]] = {
            "faults": self.faults,
            "load": simulator.writer.change_load,
            "write": simulator.writer.write,
            "change": self.change,
            "rollover": lambda lineage: self._stream.divide_lineage(lineage, 1),
            "split": lambda lineage: self._stream.divide_lineage(lineage, 2),
            "trim": self.trim,
            "turn_off": lambda _: simulator.source.turn_off(),
            "recreate": lambda keep_old: simulator.source.recreate(keep_old=keep_old),
            "stream": self.stream,
            "outage": self.outage,
            "key_schema": self.key_schema,
            "indexes": self.indexes,
            "reset_measurements": lambda _: simulator.judge.reset(),
        }

    @property
    def _stream(self) -> Stream:
        return self._simulator.source.stream

    async def page(self, request: web.BaseRequest) -> web.Response:
        """Serve a path of the control interface."""
        try:
            if request.path == "/_status":
                answer: Any = self.status()
            elif request.path == "/_verdict":
                answer = await self.verdict()
            elif request.path == "/_differences":
                answer = await self.differences()
            elif request.path == "/_control":
                wanted = orjson.loads(await request.read())
                answer = {name: self.actions[name](wanted[name]) for name in wanted}
            else:
                return web.Response(status=404)
        except (KeyError, TypeError, ValueError) as error:
            return web.Response(status=400, text=repr(error))
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    def faults(self, rules: dict[str, list[dict[str, Any]]]) -> None:
        """Replace the rules of `source`, `destination` or both; an empty list ends them."""
        for endpoint, of_endpoint in rules.items():
            self._simulator.endpoints[endpoint].faults.replace(of_endpoint)

    def change(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Make one change: `number`, `delete`, `expire` for what time to live deletes, and `raw`, a
        record as text to serve as it is.

        A second deletion of an item becomes a put: see the answer's `event`.
        """
        raw = wanted.get("raw")
        change = self._simulator.source.change(
            wanted["number"],
            delete=bool(wanted.get("delete")),
            expire=bool(wanted.get("expire")),
            raw=raw.encode() if raw else None,
        )
        return {
            "sequence": str(change.sequence),
            "version": change.version,
            "event": change.event,
            "shard": change.shard,
        }

    def trim(self, wanted: dict[str, Any]) -> dict[str, int]:
        """Forget changes older than `seconds`; `expire` also drops closed shards left empty.

        Returns how many of those had not arrived, by shard.
        """
        before = time.time() - wanted["seconds"]
        judge = self._simulator.judge
        forgotten = self._stream.trim(before, expire=bool(wanted.get("expire")))
        unread = Counter(change.shard for change in forgotten if not judge.has_met(change))
        self._gaps += len(unread)
        return dict(unread)

    def stream(self, wanted: dict[str, Any]) -> None:
        """Set `iterator_seconds`, `page` (shards in an answer), `view_type`."""
        streams = self._simulator.streams
        streams.iterator_seconds = wanted.get("iterator_seconds", streams.iterator_seconds)
        streams.page = wanted.get("page", streams.page)
        streams.source.view_type = wanted.get("view_type", streams.source.view_type)

    def outage(self, wanted: dict[str, Any]) -> None:
        """Refuse connections to `endpoint` for `seconds`."""
        endpoint = self._simulator.endpoints[wanted["endpoint"]]
        task = asyncio.get_running_loop().create_task(endpoint.outage(wanted["seconds"]))
        self._outages.add(task)
        task.add_done_callback(self._outages.discard)

    def key_schema(self, schema: dict[str, str]) -> None:
        """Change the destination's key schema: attribute name to type."""
        self._simulator.destination.reader.schema = schema

    def indexes(self, count: int) -> None:
        """Have each write to the destination cost as much once more for each of so many indexes."""
        self._simulator.destination.indexes = count

    def status(self) -> dict[str, Any]:
        """What is cheap to say at any time."""
        simulator = self._simulator
        return {
            "stream_arn": simulator.source.stream.arn,
            "shards": len(self._stream.shards),
            "open_shards": len(self._stream.open),
            "changes": simulator.source.changes,
            "keys": len(simulator.source.history),
            "behind": simulator.judge.behind(),
            # Write units that were told to who asked.
            "consumed": simulator.destination.consumed,
            # How often a trim took from a shard what had not arrived.
            "gaps": self._gaps,
            **{
                name: {
                    "calls": endpoint.counts.total,
                    "errors": endpoint.counts.errors,
                    "most_in_a_second": endpoint.counts.most_in_a_second,
                }
                for name, endpoint in simulator.endpoints.items()
            },
        }

    async def verdict(self) -> dict[str, Any]:
        """Compare both ends and give the judge's counts; takes about 20 us a key."""
        judge = self._simulator.judge
        counted = judge.counted(await self._simulator.replica())
        return {**counted, "behind": judge.behind(), **judge.measurements()}

    async def differences(self) -> list[dict[str, Any]]:
        """Each key that differs; takes as long as the verdict."""
        return self._simulator.judge.differences(await self._simulator.replica())

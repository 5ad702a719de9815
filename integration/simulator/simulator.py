"""The simulator: source and destination endpoints, live writer and judge in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from integration.simulator.destination import WRITES, Destination
from integration.simulator.endpoint import Answer, Endpoint, Page
from integration.simulator.faults import CallCounts, Faults
from integration.simulator.items import Key
from integration.simulator.judge import Judge
from integration.simulator.live import LiveWriter, Load
from integration.simulator.proxy import Proxy
from integration.simulator.source import Source
from integration.simulator.streams_api import StreamsApi
from integration.simulator.tables import TableReader
from integration.simulator.wire import ServiceError
from integration.simulator.writers import Writers


@dataclass(frozen=True, slots=True)
class Settings:
    """How a simulator begins.

    `behind` is the URL of DynamoDB Local for every call that is not simulated (lease tables); with
    `destination_local` the destination table lies there too instead of in memory. `preload`
    changes are made before the first request. `stream_age` (seconds) makes the stream and all its
    shards that much older. Ports of 0 are free ones.
    """

    table: str = "source"
    destination_table: str = "replica"
    region: str = "us-east-1"
    lineages: int = 4
    item_size: int = 1024
    preload: int = 0
    behind: str | None = None
    destination_local: bool = False
    stream_age: float = 0.0
    identify_processes: bool = True
    source_port: int = 0
    destination_port: int = 0
    seed: int = 1


class Simulator:
    """Everything of one simulation; `start` and `stop` belong to the running event loop."""

    def __init__(self, settings: Settings, load: Load) -> None:
        self.settings = settings
        self.source = Source(
            *(settings.table, settings.region, settings.lineages, settings.item_size),
            settings.stream_age,
        )
        self.judge = Judge(self.source)
        self.writer = LiveWriter(self.source, load, settings.seed)
        self.writer.write(settings.preload)
        source_counts = CallCounts()
        self.streams = StreamsApi(self.source, source_counts)
        self._reader = TableReader(settings.table, settings.region, self.source)
        destination_faults = Faults(settings.seed + 1)
        self.destination = Destination(
            settings.destination_table, settings.region, self.judge, destination_faults
        )
        self.destination.conditional = settings.destination_local
        self._proxy = Proxy(settings.behind) if settings.behind else None
        self._writers = Writers(processes=settings.identify_processes)
        self._faults = Faults(settings.seed), destination_faults
        self._counts = source_counts, CallCounts()
        self.endpoints: dict[str, Endpoint] = {}
        self._live: asyncio.Task[None] | None = None

    async def start(self, page: Page) -> None:
        """Open both ports; `page` serves the paths of the control interface on both."""
        if self._proxy is not None:
            await self._proxy.start()
            if self.settings.destination_local:
                await self._proxy.create_table(self.settings.destination_table)
        answers: dict[str, Answer] = {
            "source": self._answer_source,
            "destination": self._answer_destination,
        }
        ports = self.settings.source_port, self.settings.destination_port
        for at, (name, answer) in enumerate(answers.items()):
            self.endpoints[name] = Endpoint(answer, page, self._faults[at], self._counts[at])
            await self.endpoints[name].start(ports[at])
        self._live = asyncio.create_task(self.writer.run())

    async def stop(self) -> None:
        """End the writing and close the ports."""
        if self._live is not None:
            self._live.cancel()
        for endpoint in self.endpoints.values():
            await endpoint.stop()
        if self._proxy is not None:
            await self._proxy.stop()

    async def replica(self) -> Mapping[Key, bytes]:
        """Return what the destination table holds."""
        if self._proxy is None or not self.settings.destination_local:
            return self.destination.items
        items = await self._proxy.scan(self.settings.destination_table)
        reader = self.destination.reader
        return {reader.key(item, exact=False): orjson.dumps(item) for item in items}

    async def _answer_source(
        self, request: web.BaseRequest, operation: str, body: bytes
    ) -> bytes | web.Response:
        parsed = orjson.loads(body)
        if request.headers["X-Amz-Target"].startswith("DynamoDBStreams_20120810."):
            serve = self.streams.operations.get(operation)
            if operation == "GetRecords" and self._faults[0].happens("empty", operation):
                serve = self.streams.stay
        elif _names(parsed, self._reader):
            serve = {
                "DescribeTable": self._describe_source,
                "GetItem": self._reader.get_item,
                "BatchGetItem": self._reader.batch_get_item,
                "Scan": self._reader.scan,
            }.get(operation)
        else:
            return await self._forward(request, body)
        if serve is None:
            raise ServiceError("UnknownOperationException")

        async def effect() -> bytes:
            return serve(parsed)

        return await self.endpoints["source"].simulate(operation, effect)

    def _describe_source(self, body: dict[str, Any]) -> bytes:
        return self._reader.describe(body, self.source.stream, self.source.view_type)

    async def _answer_destination(
        self, request: web.BaseRequest, operation: str, body: bytes
    ) -> bytes | web.Response:
        parsed = orjson.loads(body)
        if not _names(parsed, self.destination.reader) and self._proxy is not None:
            return await self._forward(request, body)
        writer = self._writers.name(request)

        async def effect() -> bytes:
            if operation in WRITES:
                return await self._write(operation, parsed, len(body), writer)
            if self._proxy is not None and self.settings.destination_local:
                return orjson.dumps(await self._proxy.call(operation, parsed))
            if operation not in self.destination.reads:
                raise ServiceError("UnknownOperationException")
            return self.destination.reads[operation](parsed)

        return await self.endpoints["destination"].simulate(operation, effect)

    async def _write(self, operation: str, body: dict[str, Any], size: int, writer: str) -> bytes:
        writes = self.destination.writes_in(operation, body, size)
        applied, withheld = self.destination.withhold(operation, writes)
        asked = "ReturnConsumedCapacity" in body
        if self._proxy is not None and self.settings.destination_local:
            if operation == "BatchWriteItem":
                requests = [self.destination.request(write) for write in applied]
                body = {"RequestItems": {self.settings.destination_table: requests}}
            await self._proxy.call(operation, body)
        else:
            self.destination.apply(applied)
        self.destination.tell(applied, writer)
        units = self.destination.units(applied) if asked else None
        return self.destination.answer(operation, withheld, units)

    async def _forward(self, request: web.BaseRequest, body: bytes) -> web.Response:
        if self._proxy is None:
            raise ServiceError("ResourceNotFoundException")
        return await self._proxy.forward(request, body)


def _names(body: dict[str, Any], reader: TableReader) -> bool:
    tables = body.get("RequestItems") or [body.get("TableName")]
    return any(table in (reader.name, reader.arn) for table in tables)

"""DynamoDB Local behind the simulator, for every call that is not simulated."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
from aiohttp import web

from integration.simulator.items import ATTRIBUTE_DEFINITIONS, KEY_SCHEMA
from integration.simulator.wire import JSON, PassedOnError

_PASSED = ("Content-Type", "x-amzn-RequestId", "x-amz-crc32")
_DROPPED = frozenset(("host", "content-length", "transfer-encoding", "connection"))
_UNSIGNED = {
    "Content-Type": JSON,
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


class Proxy:
    """Passes requests on to `url`, which must run with -sharedDb (the region is not passed on)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool of connections; it belongs to the running event loop."""
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def stop(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    async def forward(self, request: web.BaseRequest, body: bytes) -> web.Response:
        """Send `request` on with `body`, and return the answer as it came."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _DROPPED}
        status, answer, passed = await self._post(body, headers)
        return web.Response(body=answer, status=status, headers=passed)

    async def call(self, operation: str, body: dict[str, Any]) -> Any:
        """Call `operation` for the simulator itself. Raises PassedOnError."""
        headers = {**_UNSIGNED, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        status, answer, _ = await self._post(orjson.dumps(body), headers)
        if status != 200:
            raise PassedOnError(status, answer)
        return orjson.loads(answer)

    async def create_table(self, name: str) -> None:
        """Create the destination table. Raises PassedOnError if it exists."""
        await self.call(
            "CreateTable",
            {
                "TableName": name,
                "KeySchema": KEY_SCHEMA,
                "AttributeDefinitions": ATTRIBUTE_DEFINITIONS,
                "BillingMode": "PAY_PER_REQUEST",
            },
        )

    async def scan(self, name: str) -> list[dict[str, Any]]:
        """Return every item of table `name`."""
        items: list[dict[str, Any]] = []
        body: dict[str, Any] = {"TableName": name, "ConsistentRead": True}
        while True:
            page = await self.call("Scan", body)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            body["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def _post(
        self, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        assert self._session is not None, "start() was not awaited"
        async with self._session.post(self._url, data=body, headers=headers) as answer:
            passed = {name: answer.headers[name] for name in _PASSED if name in answer.headers}
            return answer.status, await answer.read(), passed

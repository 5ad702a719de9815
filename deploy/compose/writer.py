"""Make the demo's table, and change its items until it is stopped."""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import boto3

ITEMS = 200


def main() -> None:
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=sys.argv[1])
    if "orders" not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for number in range(ITEMS):
            put(client, number, 0)
    version = 0
    while True:
        version += 1
        put(client, random.randrange(ITEMS), version)
        time.sleep(0.2)


def put(client: Any, number: int, version: int) -> None:
    item = {"id": {"S": f"order-{number}"}, "version": {"N": str(version)}}
    client.put_item(TableName="orders", Item=item)


if __name__ == "__main__":
    main()

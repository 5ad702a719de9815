"""What a record processor reads from the task's ``.properties``.

One file serves three readers: KCL takes the names it knows, the launcher and the record processor
take the ``replica.`` names, and KCL passes over those without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import javaproperties

from kcl_processor.config.access import Access
from kcl_processor.config.kcl_properties import in_seconds
from kcl_processor.config.paths import letters_beside
from kcl_processor.errors import ConfigError
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform


@dataclass(frozen=True)
class Settings:
    """One task, as its record processors see it. Times are seconds.

    A file of an earlier version will do: a daemon that runs while its package is upgraded starts
    record processors of the new one, and would end with the first of them.

    Attributes:
        source_arn: of the source's table; empty where its stream's ARN does not hold it.
        lock: empty in a file of before there was one.
        rules: :meth:`Rules.text`, or empty for none.
        rules_digest: :meth:`Transform.digest` of them when the file was written.
        source_keys, destination_keys: name of a key attribute to its type, where there are rules.
    """

    task: str
    source_table: str
    source_arn: str
    destination_table: str
    destination_region: str
    destination_endpoint: str
    destination_access: Access
    checkpoint_interval: float
    failover_time: float
    watchdog: float
    on_poison: str
    dead_letters: str
    letters_access: Access
    letter_file: str
    connections: int
    application_name: str
    worker_id: str
    lock: str
    metrics_publish: bool
    metrics_region: str
    metrics_endpoint: str
    metrics_access: Access
    heartbeats: str
    gap_file: str
    ttl_deletes: str
    rules: str
    rules_digest: str
    source_keys: str
    destination_keys: str

    def transform(self) -> Transform | None:
        """The rules between both tables, if there are any.

        Raises:
            ConfigError: one cannot be compiled or found; or a function in Python is another than
                when the file was written: by that one the start was checked, and items were laid.
        """
        if not self.rules:
            return None
        keys = json.loads(self.source_keys), json.loads(self.destination_keys)
        transform = Transform(Rules.parse(self.rules), *keys)
        if transform.rules.python and transform.digest() != self.rules_digest:
            raise ConfigError(
                f"The module of transform.python: {transform.rules.python} is another than when "
                f"the properties of task {self.task} were written.",
                f"kcl-processor run {self.task}, which says how to go on; or undo the edit",
            )
        return transform


def read_settings(path: Path) -> Settings:
    """Read a rendered ``.properties`` file.

    Raises:
        ConfigError: the file cannot be read, or lacks a setting; it is named.
    """
    try:
        with path.open(encoding="iso-8859-1") as file:
            properties = javaproperties.load(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", "kcl-processor render") from error
    try:
        return _settings(properties)
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{path} lacks a setting of the record processor, or it has no number: {error}.",
            "kcl-processor render, and start from the file it writes",
        ) from error


def _settings(properties: Mapping[str, str]) -> Settings:
    task, gap_file = properties["replica.task"], Path(properties["replica.gapFile"])
    letter_file = letters_beside(gap_file, task)
    return Settings(
        task=task,
        source_table=properties["replica.source.table"],
        source_arn=_table_of(properties.get("streamName", "")),
        destination_table=properties["replica.destination.table"],
        destination_region=properties["replica.destination.region"],
        destination_endpoint=properties["replica.destination.endpoint"],
        destination_access=Access.read(properties, "destination"),
        checkpoint_interval=float(properties["replica.checkpointSeconds"]),
        failover_time=in_seconds(properties["failoverTimeMillis"]),
        watchdog=float(properties["replica.watchdogSeconds"]),
        on_poison=properties["replica.onPoison"],
        dead_letters=properties["replica.deadLetters"],
        letters_access=Access.read(properties, "deadLetters"),
        letter_file=properties.get("replica.letterFile", str(letter_file)),
        connections=int(properties["replica.connections"]),
        application_name=properties["applicationName"],
        worker_id=properties["workerId"],
        lock=properties.get("replica.lock", ""),
        metrics_publish=properties["replica.metrics.publish"] == "true",
        metrics_region=properties["replica.metrics.region"],
        metrics_endpoint=properties["replica.metrics.endpoint"],
        metrics_access=Access.read(properties, "metrics"),
        heartbeats=properties["replica.heartbeats"],
        gap_file=str(gap_file),
        ttl_deletes=properties.get("replica.ttlDeletes", ""),
        rules=properties.get("replica.rules", ""),
        rules_digest=properties.get("replica.rulesDigest", ""),
        source_keys=properties.get("replica.source.keys", ""),
        destination_keys=properties.get("replica.destination.keys", ""),
    )


def _table_of(stream_arn: str) -> str:
    table, label, _ = stream_arn.partition("/stream/")
    return table if label else ""

"""The configuration file of one task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from integration.local_tables import DESTINATION_REGION, SOURCE_REGION
from integration.simulator.client import SimulatorProcess

# A task's keys, as in the YAML file.
Settings = dict[str, Any]


def side(region: str, table: str, endpoint: str) -> dict[str, str]:
    """A source or destination."""
    return {"region": region, "table": table, "endpoint": endpoint}


def between(source: str, destination: str, table: str) -> Settings:
    """A task between two tables of one name, on the stores at two URLs; its leases bear it, too."""
    return {
        "source": side(SOURCE_REGION, table, source),
        "destination": side(DESTINATION_REGION, table, destination),
        "kcl": {"application_name": f"leases-{table}"},
        "metrics": {"publish": False},
    }


def simulated(simulator: SimulatorProcess, kcl: str) -> Settings:
    """A task between the two tables of a simulator; KCL's are at the URL ``kcl``."""
    ready = simulator.ready
    region = ready["region"]
    return {
        "source": side(region, ready["table"], simulator.source_url),
        "destination": side(region, ready["destination_table"], simulator.destination_url),
        "kcl": {"region": region, "endpoint": kcl},
        "metrics": {"publish": False},
    }


def write(file: Path, name: str, settings: Settings) -> None:
    """Write a file of this one task, which replaces what it held."""
    # JSON is YAML.
    file.write_text(json.dumps({"tasks": {name: settings}}), encoding="utf-8")

"""What a figure depends on: the machine, and the versions of what ran."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

_ROOT = Path(__file__).resolve().parents[2]


def describe() -> dict[str, str]:
    """Return what to print above the figures."""
    from kcl_processor.launcher.java import find_java

    java = find_java()
    return {
        "machine": f"{hardware()}, {_processor()}",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "versions": f"kcl-processor {version('kcl-processor')} ({_commit()}), Java {java.version},"
        f" Python {platform.python_version()}, amazon-kclpy {version('amazon-kclpy')},"
        f" botocore {version('botocore')}, orjson {version('orjson')}",
        "input": "items of 1 KB of JSON with attributes of all types, new and old image,"
        " 5% deletions; lease tables on DynamoDB Local",
    }


def hardware() -> str:
    """Return how many cores, how much memory and which system, in words."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "-")


def _commit() -> str:
    ran = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True
    )
    return ran.stdout.strip() or "no git"

"""Implementations of DynamoDB that are neither AWS's nor ours: a moto server, and dynalite."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from integration.clients import BROKEN, client
from integration.until import until

DYNALITE = "dynalite@4.0.0"
# Seconds for npm to fetch it; without a registry it gives up by itself, or is given up.
_INSTALL_SECONDS = 60.0


@contextmanager
def moto() -> Iterator[str]:
    """A moto server's URL, for the time of a ``with`` block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def dynalite(folder: Path) -> Iterator[str]:
    """dynalite's URL, for the time of a ``with`` block; skips the test where it cannot be had.

    Args:
        folder: it is installed there.
    """
    node = shutil.which("node")
    command = [str(node), str(_installed(folder)), "--host", "127.0.0.1", "--port"]
    port = _free_port()
    with (folder / "dynalite.log").open("wb") as log:
        process = subprocess.Popen([*command, str(port)], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url), "dynalite answers", 20)
        yield url
    finally:
        process.kill()
        process.wait(10)


def _installed(folder: Path) -> Path:
    """dynalite's script, installed by npm."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("dynalite needs node and npm, and they are not on this machine")
    install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", DYNALITE]
    try:
        done = subprocess.run(
            install, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not fetch {DYNALITE} within {_INSTALL_SECONDS:.0f} s")
    if done.returncode:
        pytest.skip(f"npm cannot install {DYNALITE}: {done.stderr.strip()[-300:]}")
    return folder / "node_modules" / "dynalite" / "cli.js"


def _answers(url: str) -> bool:
    try:
        client("dynamodb", url).list_tables()
    except BROKEN:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

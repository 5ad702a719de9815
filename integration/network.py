"""Two hosts and a router between them, in network namespaces: a real TCP stack, no fake."""

from __future__ import annotations

import itertools
import os
import subprocess
from typing import Self

from integration.lines import Program

SERVER_ADDRESS = "10.213.2.2"
_names = itertools.count(1)


class NoNamespaces(Exception):
    """This host, or this user, has no network namespaces."""


class Network:
    """A client's and a server's namespace. While the way is cut, packets vanish without a word."""

    def __init__(self) -> None:
        name = f"late{os.getpid()}x{next(_names)}"
        self.client, self._router, self.server = f"{name}c", f"{name}r", f"{name}s"

    def __enter__(self) -> Self:
        try:
            for namespace in (self.client, self._router, self.server):
                _ip("netns", "add", namespace)
            self._join(self.client, "10.213.1")
            self._join(self.server, "10.213.2")
            self.mend()
        except (OSError, subprocess.CalledProcessError) as error:
            self._remove()
            raise NoNamespaces(str(error)) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def start(self, namespace: str, module: str, *words: str) -> Program:
        """Run a Python module in a namespace."""
        return Program(module, *words, within=["ip", "netns", "exec", namespace])

    def cut(self) -> None:
        """The router passes nothing on any more, in neither direction."""
        self._forward("0")

    def mend(self) -> None:
        """The router passes on again."""
        self._forward("1")

    def _forward(self, value: str) -> None:
        words = ["sh", "-c", f"echo {value} > /proc/sys/net/ipv4/ip_forward"]
        _ip("netns", "exec", self._router, *words)

    def _join(self, host: str, net: str) -> None:
        inner, outer = f"{host[-8:]}0", f"{host[-8:]}1"
        _ip("-n", host, "link", "add", inner, "type", "veth", "peer", outer, "netns", self._router)
        for namespace, link, last in ((host, inner, 2), (self._router, outer, 1)):
            _ip("-n", namespace, "addr", "add", f"{net}.{last}/24", "dev", link)
            _ip("-n", namespace, "link", "set", link, "up")
        _ip("-n", host, "route", "add", "default", "via", f"{net}.1")

    def _remove(self) -> None:
        for namespace in (self.client, self._router, self.server):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)

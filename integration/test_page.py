"""The exporter's page of a real daemon, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from integration import task_file
from integration.commands import Commands
from integration.fleet import Fleet, fleet
from integration.until import until
from integration.worker import Worker

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
# Milliseconds of the page's own time: enough for its first questions, and their answers.
BUDGET = 9000

pytestmark = pytest.mark.drill


class Shown(HTMLParser):
    """The text of what a browser shows, without the script and the style."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        if tag in ("script", "style"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            self._inside.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._inside and data.strip():
            self.texts.append(data.strip())


def shown(url: str, profile: Path) -> list[str]:
    """What the page comes to in the browser, once its script has run."""
    command = (
        *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *(f"--user-data-dir={profile}", f"--virtual-time-budget={BUDGET}", "--dump-dom", url),
    )
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    parser = Shown()
    parser.feed(ran.stdout)
    return parser.texts


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def events(made: Fleet) -> list[dict[str, Any]]:
    return list(json.loads(made.ask("events", "--json").stdout or "[]"))


@pytest.mark.skipif(not CHROMIUM, reason="apt-get install chromium")
def test_a_browser_shows_a_task_its_shards_and_its_events(tmp_path: Path) -> None:
    """As the JSON has them, which is what the daemon and its tables say."""
    with fleet(tmp_path, lineages=2, preload=200, rate=20.0) as made:
        made.start("worker-1")
        until(
            lambda: sum(row.get("leaseOwner") == "worker-1" for row in made.rows().values()) == 2,
            "the worker owns both shards",
            90,
        )
        until(lambda: any(one["what"] == "started" for one in events(made)), "events are told", 60)
        line = made.commands("worker-1").line("exporter", "--port", "0")
        with Worker(line, tmp_path / "exporter" / "log") as exporter:
            until(lambda: "/metrics\n" in exporter.log(), "it says where it serves", 30)
            (url,) = re.findall(r"(http://\S+/)\n", exporter.log())
            tasks = f"{url}api/v1/tasks"
            until(lambda: asked(tasks)["tasks"][0]["seen_at"], "the task was looked at", 60)
            (listed,) = asked(tasks)["tasks"]
            whole = asked(f"{tasks}/{listed['task']}")
            assert (listed["task"], listed["state"], listed["workers"]) == ("orders", "running", 1)
            assert whole["unknown"] == {} and whole["unseen"] is None
            assert [one["owner"] for one in whole["leases"]] == ["worker-1"] * 2
            assert whole["lags"][-1][1] is not None and whole["lags"][-1][1] < 60
            texts = shown(url, tmp_path / "profile")
            assert "orders" in texts and "running" in texts and "1 / 2" in texts
            for lease in whole["leases"]:
                assert f"…{lease['shard'][-17:]}" in texts
            assert texts.count("worker-1") >= 3, "two owners, and who told an event"
            assert {"started", "moved"} & set(texts)
            exporter.ask_to_stop()
            assert exporter.wait(30) == 0
        assert (made.state("worker-1") / "orders.lag.jsonl").exists()


def test_services_that_are_silent_hold_up_neither_answers_nor_the_end(tmp_path: Path) -> None:
    """A look at them takes minutes; meanwhile the task is unknown."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        sides = {
            "source": task_file.side("us-east-1", "source", url),
            "destination": task_file.side("us-west-2", "replica", url),
            "kcl": {"region": "us-east-1", "endpoint": url},
        }
        commands = Commands(tmp_path / "orders.yml", tmp_path / "state")
        task_file.write(commands.file, "orders", sides)
        with Worker(commands.line("exporter", "--port", "0"), tmp_path / "log") as exporter:
            until(lambda: "/metrics\n" in exporter.log(), "it says where it serves", 30)
            (address,) = re.findall(r"(http://\S+/)\n", exporter.log())
            silent.settimeout(20)
            asking, _ = silent.accept()
            began = time.monotonic()
            (listed,) = asked(f"{address}api/v1/tasks")["tasks"]
            assert (listed["state"], listed["lag"]) == ("unknown", None)
            exporter.ask_to_stop()
            assert exporter.wait(20) == 0
            assert time.monotonic() - began < 10
            asking.close()

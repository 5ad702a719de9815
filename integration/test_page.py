"""The exporter's page of a real daemon, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from integration.fleet import Fleet, fleet
from integration.until import until
from integration.worker import Worker

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
# Milliseconds of the page's own time: enough for its first questions, and their answers.
BUDGET = 9000

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(not CHROMIUM, reason="apt-get install chromium"),
]


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

"""What the exporter answers, and to whom."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.operate.page import read_page
from kcl_processor.operate.page_documents import Documents
from kcl_processor.operate.page_server import Hosts, Server, Site
from kcl_processor.operate.page_watch import Watch
from tests.fakes import Beside, HandClock
from tests.kcl_tables import make_task

SERIES = b"kcl_processor_up 1.0\n"


def scraped(_environ: object, start_response: object) -> list[bytes]:
    """What the Prometheus client does."""
    start_response("200 OK", [("Content-Type", "text/plain; version=1.0.0")])  # type: ignore[operator]
    return [SERIES]


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Site:
    return made(tmp_path, Hosts("127.0.0.1"))


def made(folder: Path, hosts: Hosts) -> Site:
    """The site of one task that was not looked at yet."""
    clock, files = HandClock(), TaskFiles(make_task(), folder)
    watch = Watch(files, clock, Beside(), clock.turn, {}, print)
    return Site(Documents([watch], clock, str), scraped, hosts)


class Answer:
    """What was answered to one request."""

    def __init__(
        self, site: Site, path: str, method: str = "GET", host: str | None = "127.0.0.1:9464"
    ) -> None:
        environ: dict[str, str] = {"REQUEST_METHOD": method, "PATH_INFO": path}
        setup_testing_defaults(environ)
        environ.pop("HTTP_HOST")
        if host is not None:
            environ["HTTP_HOST"] = host
        self.body = b"".join(site(environ, self._start))  # type: ignore[arg-type]

    def _start(self, status: str, headers: list[tuple[str, str]], *_: object) -> None:
        self.status = int(status.partition(" ")[0])
        self.headers = dict(headers)
        assert len(self.headers) == len(headers), "none is told twice"


def test_the_page_its_json_and_the_metrics_are_served(site: Site) -> None:
    """Each at its place, and nothing anywhere else."""
    page = Answer(site, "/")
    assert (page.body, page.headers["Content-Type"]) == (
        read_page().html,
        "text/html; charset=utf-8",
    )
    assert Answer(site, "/metrics").body == SERIES
    (task,) = json.loads(Answer(site, "/api/v1/tasks").body)["tasks"]
    one = Answer(site, f"/api/v1/tasks/{task['task']}")
    assert one.headers["Content-Type"].startswith("application/json")
    assert json.loads(one.body)["state"] == "unknown"
    assert Answer(site, "/favicon.ico").status == 204
    for path in ("/api/v1/tasks/none", "/api/v1/tasks/", "/api", "//", "/../etc/passwd", "/\xff"):
        assert Answer(site, path).status == 404


@pytest.mark.parametrize("path", ["/", "/api/v1/tasks", "/metrics", "/nowhere", "/favicon.ico"])
def test_every_answer_keeps_other_sites_out(site: Site, path: str) -> None:
    """It is not framed, kept, guessed at, or given to another origin."""
    for answer in (Answer(site, path), Answer(site, path, "POST"), Answer(site, path, host="a.b")):
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY" and headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "x"])
def test_it_only_tells(site: Site, method: str) -> None:
    """Whoever wants anything else is told so."""
    for path in ("/", "/api/v1/tasks", "/metrics"):
        answer = Answer(site, path, method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/api/v1/tasks", "/metrics", "/nowhere"])
def test_a_head_is_a_get_without_its_body(site: Site, path: str) -> None:
    """Probes ask so."""
    asked, head = Answer(site, path), Answer(site, path, "HEAD")
    assert (head.status, head.body) == (asked.status, b"")
    assert head.headers == asked.headers


OURS = ["127.0.0.1", "127.0.0.1:9464", "[::1]:9464", "10.1.2.3:80", "localhost:9464", "LOCALHOST."]
FOREIGN = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9464", "evil", ""]
FOREIGN += ["localhost,evil.example", "localhost:9464,evil.example", "localhost:a", "[::1", "a b"]


@pytest.mark.parametrize("host", [*OURS, None])
def test_this_host_is_answered_for(site: Site, host: str | None) -> None:
    """By an address, which no site has as its name; and whoever names none is no browser."""
    assert Answer(site, "/api/v1/tasks", host=host).status == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_that_somebody_lets_mean_this_host_is_refused(site: Site, host: str) -> None:
    """Or any site that is open in a browser here could read it all."""
    for path in ("/", "/api/v1/tasks", "/metrics"):
        answer = Answer(site, path, host=host)
        assert answer.status == 421 and b"--host" in answer.body
        assert host.encode() not in answer.body or not host


def test_names_that_are_given_are_answered_for(tmp_path: Path) -> None:
    """And that of the address that is listened at; a Prometheus elsewhere may have any name."""
    site = made(tmp_path, Hosts("replicas.internal", ["replicas.example.com"]))
    for host in ("replicas.internal:9464", "Replicas.Example.com"):
        assert Answer(site, "/", host=host).status == 200
    assert Answer(site, "/", host="evil.example").status == 421
    assert Answer(site, "/metrics", host="exporter.monitoring.svc").status == 200


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_who_listens_at_the_loopback_knows_it(listen: str, *, loopback: bool) -> None:
    """There even the metrics are for this host's names alone."""
    assert Hosts(listen).are_of_loopback is loopback


@pytest.fixture(name="server")
def _server(site: Site) -> Iterator[Server]:
    server = Server("127.0.0.1", 0, site)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_it_is_served_over_http(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """To several at once, with the length of what is left out of a HEAD; nothing is logged."""
    assert server.url("127.0.0.1", "/") == f"http://127.0.0.1:{server.server_port}/"
    assert server.url("::1", "/metrics") == f"http://[::1]:{server.server_port}/metrics"
    silent = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    silent.connect()
    lengths = []
    for method in ("GET", "HEAD"):
        asked = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        asked.request(method, "/")
        answer = asked.getresponse()
        assert answer.status == 200
        lengths.append((answer.headers["Content-Length"], len(answer.read())))
        asked.close()
    size = len(read_page().html)
    assert lengths == [(str(size), size), (str(size), 0)]
    silent.close()
    assert capsys.readouterr().err == ""


def test_a_port_that_is_taken_is_told(server: Server, site: Site) -> None:
    """As the error that it is."""
    with pytest.raises(OSError, match="in use"):
        Server("127.0.0.1", server.server_port, site)

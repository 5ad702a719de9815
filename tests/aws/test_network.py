"""The way to an endpoint is boto3's, for whoever makes the request."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from kcl_processor.aws.clients import tables
from kcl_processor.aws.network import way_to
from kcl_processor.clock import SystemClock
from kcl_processor.config.access import DEFAULT
from kcl_processor.config.task import Side
from kcl_processor.errors import ConfigError
from kcl_processor.replicate.figures import Latency
from kcl_processor.replicate.metrics import CloudWatch
from kcl_processor.state.heartbeat import Counts
from tests.edges import Authority, Edge, Reply, proxying, serving
from tests.endpoints import endpoint_at


def test_a_record_processors_request_goes_through_the_proxy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY joins it to the endpoint, and the bundle says whom to trust there."""
    authority = Authority(home)
    tls = authority.server_context()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with serving(lambda _request: Reply(b"{}"), tls) as server, proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert endpoint_at(server.url).call("GetItem", b"{}").status == 200
        assert [request.method for request in proxy.requests] == ["CONNECT"]
        assert len(server.requests) == 1


def test_figures_take_the_same_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudWatch is reached through the proxy, and trusted by the bundle, as the table is."""
    authority = Authority(home)
    tls = authority.server_context()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with serving(lambda _request: Reply(b"<x/>"), tls) as server, proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        CloudWatch("app", "us-east-1", server.url, DEFAULT, SystemClock())(Counts(), Latency())
        assert len(proxy.requests) == 1 and server.key_ids == ["KEY"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("no_proxy", "goes"),
    [
        ("*", "direct"),
        ("127.0.0.1", "direct"),
        (".0.0.1", "direct"),
        ("0.0.1", "direct"),
        ("127.0.0.1:{port}", "direct"),
        ("other, 127.0.0.1", "direct"),
        ("127.0.0.1:1", "proxied"),
        ("27.0.0.1", "proxied"),
        ("10.0.0.0/8", "proxied"),
        ("", "proxied"),
    ],
)
def test_no_proxy_is_read_as_boto3_reads_it(
    no_proxy: str, goes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, suffixes, ports and the star; no networks."""
    with serving(lambda _request: Reply(b"{}")) as server, proxying() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=server.url.rpartition(":")[2]))
        assert endpoint_at(server.url).call("GetItem", b"{}").status == 200
        assert took(server, proxy) == goes


@pytest.mark.usefixtures("home")
def test_each_scheme_has_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB Local, which speaks plain HTTP, is not asked for at the proxy for HTTPS."""
    with serving(lambda _request: Reply(b"{}")) as server, proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert endpoint_at(server.url).call("GetItem", b"{}").status == 200
        assert took(server, proxy) == "direct"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
@pytest.mark.parametrize(
    "value", ["http://", "::::", "http://proxy:port", "http://me:secret@pro xy:1", "http://[::1"]
)
def test_a_proxy_that_is_no_url_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call would fail for a reason that names no setting. The value may hold a password."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv(name, value)
    side = Side(f"region-{uuid.uuid4().hex}", "table", "http://table.invalid:8000")
    for asked in (lambda: way_to("http://table.invalid:8000"), lambda: tables(side)):
        with pytest.raises(ConfigError, match=f"{name} does not name a proxy") as raised:
            asked()
        assert "secret" not in raised.value.message + raised.value.hint


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("value", ["proxy", "proxy:3128", "//proxy:1", "https://a:b@proxy:3128/"])
def test_a_proxy_may_be_named_in_short(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As botocore reads it; what another scheme's variable holds is not looked at."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    monkeypatch.setenv("HTTP_PROXY", "::::")
    assert way_to("https://dynamodb.us-east-1.amazonaws.com").proxies["https"] == value
    monkeypatch.setenv("NO_PROXY", "table.invalid")
    assert way_to("http://table.invalid:8000").proxies == {}


@pytest.mark.parametrize("where", ["AWS_CA_BUNDLE", "ca_bundle", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_is_found_where_boto3_finds_it(
    where: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the environment or in the profile; the server is trusted with it and not without."""
    authority = Authority(home)
    with serving(lambda _request: Reply(b"{}"), authority.server_context()) as server:
        assert endpoint_at(server.url).call("GetItem", b"{}").error == "SSLError"
        if where == "ca_bundle":
            (home / ".aws/config").write_text(f"[default]\nca_bundle = {authority.bundle}\n")
        else:
            monkeypatch.setenv(where, str(authority.bundle))
        assert endpoint_at(server.url).call("GetItem", b"{}").status == 200


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_used_is_named_before_the_start(
    name: str, content: str | None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection would fail and be tried again, for ever."""
    bundle = home / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv(name, str(bundle))
    with pytest.raises(ConfigError, match=rf"{name}.*bundle\.pem"):
        way_to("https://dynamodb.us-east-1.amazonaws.com")


def took(server: Edge, proxy: Edge) -> str:
    """Which way a request went."""
    assert len(server.requests) == 1
    return "proxied" if proxy.requests else "direct"

"""A scene for each AWS setting of the README's table: does who asks obey it?

A scene sets one up, with servers of this machine in the place of AWS, and judges by what reached
them. Whoever asks (a tool, a record processor, the daemon) does it in the scene's environment.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

from tests.edges import Authority, Edge, Reply, Request, proxying, serving

REGION = "us-east-1"
# Every name that a request may be for when no endpoint is given; the certificate has them.
_HOSTS = [
    f"*.{parent}"
    for parent in (
        f"{REGION}.amazonaws.com",
        f"dynamodb.{REGION}.amazonaws.com",
        f"dynamodb-fips.{REGION}.amazonaws.com",
        f"ddb.{REGION}.amazonaws.com",
        f"{REGION}.api.aws",
        f"dynamodb.{REGION}.api.aws",
    )
]
_ROLE = "arn:aws:iam::123456789012:role/replica"


@dataclass
class Scene:
    """What an asker needs, and what tells afterwards.

    Attributes:
        endpoint: of the table and its stream; ``None`` for the region's own.
        environment: beside an empty home.
        requests: that reached the table.
        obeyed: whether the asker did what the setting says.
    """

    endpoint: str | None
    environment: dict[str, str]
    requests: list[Request]
    obeyed: Callable[[], bool] = field(default=lambda: False)

    def all(self, holds: Callable[[Request], bool]) -> bool:
        """Whether there were requests, and something holds for every one of them."""
        return bool(self.requests) and all(map(holds, self.requests))


Setting = Callable[[Path, ExitStack], Scene]
SETTINGS: dict[str, Setting] = {}


def setting(name: str) -> Callable[[Setting], Setting]:
    """The scene of one row of the README's table."""

    def register(scene: Setting) -> Setting:
        assert name not in SETTINGS
        SETTINGS[name] = scene
        return scene

    return register


@contextmanager
def staged(name: str, home: Path) -> Iterator[Scene]:
    """The scene of a setting, with its servers running."""
    with ExitStack() as servers:
        yield SETTINGS[name](home, servers)


def _table(servers: ExitStack, answer: Callable[[Request], Reply] | None = None) -> Edge:
    return servers.enter_context(serving(answer or (lambda _request: Reply(b"{}"))))


def _keys(key: str = "KEY") -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "secret"}


def _lines(key: str, profile: str = "default") -> str:
    return f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = secret\n"


def _signed(table: Edge, key: str, **environment: str) -> Scene:
    """A scene that is obeyed by whoever signs with a key."""
    scene = Scene(table.url, environment, table.requests)
    scene.obeyed = lambda: scene.all(lambda request: request.key_id == key)
    return scene


def _in_an_hour() -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


@setting("`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`")
def _in_the_environment(_home: Path, servers: ExitStack) -> Scene:
    return _with_token("AWS_SESSION_TOKEN", servers)


@setting("`AWS_SECURITY_TOKEN`")
def _old_token(_home: Path, servers: ExitStack) -> Scene:
    return _with_token("AWS_SECURITY_TOKEN", servers)


def _with_token(variable: str, servers: ExitStack) -> Scene:
    table = _table(servers)
    scene = Scene(table.url, {**_keys(), variable: "TOKEN"}, table.requests)
    scene.obeyed = lambda: scene.all(
        lambda request: request.headers.get("X-Amz-Security-Token") == "TOKEN"
    )
    return scene


@setting("`AWS_PROFILE`")
def _profile(home: Path, servers: ExitStack) -> Scene:
    (home / ".aws/credentials").write_text(_lines("FIRST") + _lines("OTHER", "other"))
    return _signed(_table(servers), "OTHER", AWS_PROFILE="other")


@setting("`AWS_DEFAULT_PROFILE`")
def _default_profile(home: Path, servers: ExitStack) -> Scene:
    (home / ".aws/credentials").write_text(_lines("FIRST") + _lines("OTHER", "other"))
    return _signed(_table(servers), "OTHER", AWS_DEFAULT_PROFILE="other", AWS_PROFILE="default")


@setting("`AWS_SHARED_CREDENTIALS_FILE`")
def _shared_file(home: Path, servers: ExitStack) -> Scene:
    (home / ".aws/credentials").write_text(_lines("HOME"))
    # As pasted from an environment: names are the same in capitals.
    (home / "shared").write_text(_lines("SHARED").replace("aws_access", "AWS_ACCESS"))
    return _signed(_table(servers), "SHARED", AWS_SHARED_CREDENTIALS_FILE="$HOME/shared")


@setting("`AWS_CONFIG_FILE`")
def _config_file(home: Path, servers: ExitStack) -> Scene:
    (home / "config").write_text(_lines("CONFIG"))
    return _signed(_table(servers), "CONFIG", AWS_CONFIG_FILE="${HOME}/config")


@setting("`credential_process` of a profile")
def _process(home: Path, servers: ExitStack) -> Scene:
    answer = {"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "s"}
    (home / "answer").write_text(json.dumps(answer))
    (home / ".aws/config").write_text(f"[default]\ncredential_process = cat {home / 'answer'}\n")
    return _signed(_table(servers), "PROCESS")


def _sts(servers: ExitStack, **keys: str) -> str:
    """A token service, which gives the key of each action; its URL."""

    def answer(request: Request) -> Reply:
        action = parse_qs(request.body.decode())["Action"][0]
        return _assumed(action, keys[action])

    return servers.enter_context(serving(answer)).url


def _assumed(action: str, key: str) -> Reply:
    answer = f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
      <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>t</SessionToken><Expiration>{_in_an_hour():%Y-%m-%dT%H:%M:%SZ}</Expiration>
      </Credentials></{action}Result></{action}Response>"""
    return Reply(answer.encode(), headers={"Content-Type": "text/xml"})


@setting("`role_arn` and `source_profile` of a profile")
def _role(home: Path, servers: ExitStack) -> Scene:
    (home / ".aws/config").write_text(
        f"[default]\nrole_arn = {_ROLE}\nsource_profile = base\n" + _lines("BASE", "profile base")
    )
    sts = _sts(servers, AssumeRole="ROLE", AssumeRoleWithWebIdentity="WEB")
    # As on EKS, where every pod has these, and a profile leads on to another account's role.
    (home / "token").write_text("token")
    pod = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token"), "AWS_ROLE_ARN": _ROLE}
    return _signed(_table(servers), "ROLE", AWS_ENDPOINT_URL_STS=sts, **pod)


@setting("`sso_session` of a profile (IAM Identity Center)")
def _login(home: Path, servers: ExitStack) -> Scene:
    (home / ".aws/config").write_text(
        "[default]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = r\n"
        f"[sso-session work]\nsso_region = {REGION}\nsso_start_url = https://example.com/start\n"
    )
    cache = home / ".aws/sso/cache"
    cache.mkdir(parents=True)
    token = {
        "accessToken": "login",
        "expiresAt": f"{_in_an_hour():%Y-%m-%dT%H:%M:%SZ}",
        "startUrl": "https://example.com/start",
        "region": REGION,
    }
    (cache / f"{hashlib.sha1(b'work').hexdigest()}.json").write_text(json.dumps(token))
    role = {
        "accessKeyId": "LOGIN",
        "secretAccessKey": "s",
        "sessionToken": "t",
        "expiration": int(_in_an_hour().timestamp() * 1000),
    }
    portal = servers.enter_context(serving(lambda _request: Reply.of({"roleCredentials": role})))
    return _signed(_table(servers), "LOGIN", AWS_ENDPOINT_URL_SSO=portal.url)


@setting("`AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN` (EKS: IRSA)")
def _web_identity(home: Path, servers: ExitStack) -> Scene:
    (home / "token").write_text("token")
    return _signed(
        _table(servers),
        "WEB",
        AWS_WEB_IDENTITY_TOKEN_FILE=str(home / "token"),
        AWS_ROLE_ARN=_ROLE,
        AWS_ENDPOINT_URL_STS=_sts(servers, AssumeRoleWithWebIdentity="WEB"),
    )


@setting("`AWS_CONTAINER_CREDENTIALS_FULL_URI`, `…_RELATIVE_URI` (EKS: pod identity; ECS)")
def _container(home: Path, servers: ExitStack) -> Scene:
    (home / "token").write_text("pod")
    keys = {"AccessKeyId": "POD", "SecretAccessKey": "s", "Token": "t"}
    answer = {**keys, "Expiration": f"{_in_an_hour():%Y-%m-%dT%H:%M:%SZ}"}

    def agent(request: Request) -> Reply:
        known = request.headers.get("Authorization") == "pod"
        return Reply.of(answer) if known else Reply.of({}, 401)

    url = servers.enter_context(serving(agent)).url
    return _signed(
        _table(servers),
        "POD",
        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(home / "token"),
    )


def _metadata(request: Request) -> Reply:
    """EC2's instance metadata, version 2."""
    if request.method == "PUT":
        return Reply(b"token", headers={"x-aws-ec2-metadata-token-ttl-seconds": "21600"})
    if request.path.endswith("/security-credentials/"):
        return Reply(b"role")
    keys = {"AccessKeyId": "METADATA", "SecretAccessKey": "s", "Token": "t", "Code": "Success"}
    return Reply.of({**keys, "Expiration": f"{_in_an_hour():%Y-%m-%dT%H:%M:%SZ}"})


def _instance(servers: ExitStack, answer: Callable[[Request], Reply] = _metadata) -> dict[str, str]:
    """An instance, by the environment that leads to its metadata."""
    url = servers.enter_context(serving(answer)).url
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"}


@setting("instance metadata; `AWS_EC2_METADATA_SERVICE_ENDPOINT`")
def _metadata_is_asked(_home: Path, servers: ExitStack) -> Scene:
    return _signed(_table(servers), "METADATA", **_instance(servers))


@setting("`AWS_EC2_METADATA_DISABLED`")
def _metadata_is_not_asked(_home: Path, servers: ExitStack) -> Scene:
    return _unsigned(_table(servers), {**_instance(servers), "AWS_EC2_METADATA_DISABLED": "true"})


@setting("`AWS_METADATA_SERVICE_TIMEOUT` (5 s if not set)")
def _metadata_timeout(_home: Path, servers: ExitStack) -> Scene:
    def late(request: Request) -> Reply:
        time.sleep(2)
        return _metadata(request)

    instance = _instance(servers, late)
    return _unsigned(_table(servers), {**instance, "AWS_METADATA_SERVICE_TIMEOUT": "1"})


@setting("`AWS_METADATA_SERVICE_NUM_ATTEMPTS` (3 if not set)")
def _metadata_attempts(_home: Path, servers: ExitStack) -> Scene:
    asked = 0

    def busy(request: Request) -> Reply:
        nonlocal asked
        asked += request.method == "GET"
        return Reply(b"busy", 503) if asked <= 3 and request.method == "GET" else _metadata(request)

    instance = _instance(servers, busy)
    more = {**instance, "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "5"}
    return _signed(_table(servers), "METADATA", **more)


def _unsigned(table: Edge, environment: dict[str, str]) -> Scene:
    """A scene that is obeyed by whoever finds no credentials."""
    return Scene(table.url, environment, table.requests, lambda: not table.requests)


def _trusted(home: Path, servers: ExitStack) -> tuple[Scene, Path]:
    """A server whose certificate nobody knows, and the bundle that makes it known."""
    authority = Authority(home)
    table = servers.enter_context(
        serving(lambda _request: Reply(b"{}"), authority.server_context())
    )
    scene = Scene(table.url, _keys(), table.requests, lambda: bool(table.requests))
    return scene, authority.bundle


@setting("`AWS_CA_BUNDLE`")
def _aws_bundle(home: Path, servers: ExitStack) -> Scene:
    scene, bundle = _trusted(home, servers)
    scene.environment["AWS_CA_BUNDLE"] = str(bundle)
    return scene


@setting("`ca_bundle` of a profile")
def _profiles_bundle(home: Path, servers: ExitStack) -> Scene:
    scene, bundle = _trusted(home, servers)
    (home / ".aws/config").write_text(f"[default]\nca_bundle = {bundle}\n")
    return scene


@setting("`REQUESTS_CA_BUNDLE`")
def _requests_bundle(home: Path, servers: ExitStack) -> Scene:
    scene, bundle = _trusted(home, servers)
    scene.environment["REQUESTS_CA_BUNDLE"] = str(bundle)
    return scene


@setting("`HTTPS_PROXY`, `https_proxy`")
def _https_proxy(home: Path, servers: ExitStack) -> Scene:
    scene, bundle = _trusted(home, servers)
    proxy = servers.enter_context(proxying())
    scene.environment |= {"AWS_CA_BUNDLE": str(bundle), "HTTPS_PROXY": proxy.url}
    scene.obeyed = lambda: bool(scene.requests) and bool(proxy.requests)
    return scene


@setting("`HTTP_PROXY`, `http_proxy` (endpoints of plain HTTP)")
def _http_proxy(_home: Path, servers: ExitStack) -> Scene:
    table = _table(servers)
    proxy = servers.enter_context(proxying(to=table))
    # Nobody but the proxy knows that name.
    scene = Scene("http://table.invalid:8000", {**_keys(), "HTTP_PROXY": proxy.url}, table.requests)
    scene.obeyed = lambda: bool(table.requests)
    return scene


@setting("`NO_PROXY`, `no_proxy` (hosts, domains, ports, `*`)")
def _no_proxy(_home: Path, servers: ExitStack) -> Scene:
    table, proxy = _table(servers), servers.enter_context(proxying())
    environment = {"HTTP_PROXY": proxy.url, "NO_PROXY": "other.example, 0.0.1"}
    scene = Scene(table.url, {**_keys(), **environment}, table.requests)
    scene.obeyed = lambda: bool(table.requests) and not proxy.requests
    return scene


@setting("`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and its like")
def _endpoint(_home: Path, servers: ExitStack) -> Scene:
    table = _table(servers)
    urls = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_DYNAMODB": table.url,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": table.url,
    }
    return Scene(None, {**_keys(), **urls}, table.requests, lambda: bool(table.requests))


def _regional(home: Path, servers: ExitStack, host: str, **environment: str) -> Scene:
    """A scene without an endpoint: requests go through a proxy, and are judged by their host."""
    authority = Authority(home, *_HOSTS)
    table = servers.enter_context(
        serving(lambda _request: Reply(b"{}"), authority.server_context())
    )
    proxy = servers.enter_context(proxying(to=table))
    way = {"HTTPS_PROXY": proxy.url, "AWS_CA_BUNDLE": str(authority.bundle)}
    scene = Scene(None, {**_keys(), **way, **environment}, table.requests)
    scene.obeyed = lambda: scene.all(
        lambda request: bool(re.search(host, request.headers.get("Host", "")))
    )
    return scene


@setting("`AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`")
def _no_endpoint(home: Path, servers: ExitStack) -> Scene:
    elsewhere = _table(servers)
    ignored = {"AWS_ENDPOINT_URL": elsewhere.url, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    scene = _regional(home, servers, rf"{REGION}\.amazonaws\.com", **ignored)
    is_regional = scene.obeyed
    scene.obeyed = lambda: is_regional() and not elsewhere.requests
    return scene


@setting("`AWS_USE_FIPS_ENDPOINT`")
def _fips(home: Path, servers: ExitStack) -> Scene:
    return _regional(home, servers, "fips", AWS_USE_FIPS_ENDPOINT="true")


@setting("`AWS_USE_DUALSTACK_ENDPOINT`")
def _dualstack(home: Path, servers: ExitStack) -> Scene:
    return _regional(home, servers, r"\.api\.aws", AWS_USE_DUALSTACK_ENDPOINT="true")


@setting("`AWS_ACCOUNT_ID_ENDPOINT_MODE`")
def _account(home: Path, servers: ExitStack) -> Scene:
    account = {"AWS_ACCOUNT_ID": "123456789012", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "preferred"}
    # A table's stream has no such endpoint.
    return _regional(home, servers, r"^(123456789012|streams)\.", **account)


@setting("`AWS_REGION`, `AWS_DEFAULT_REGION`")
def _region(_home: Path, servers: ExitStack) -> Scene:
    table = _table(servers)
    elsewhere = {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3"}
    scene = Scene(table.url, {**_keys(), **elsewhere}, table.requests)
    scene.obeyed = lambda: scene.all(
        lambda request: "/eu-west-3/" in request.headers.get("Authorization", "")
    )
    return scene


@setting("`AWS_MAX_ATTEMPTS`, `AWS_RETRY_MODE`")
def _attempts(_home: Path, servers: ExitStack) -> Scene:
    broken = Reply.of({"__type": "x#InternalServerError", "message": "try again"}, 500)
    table = _table(servers, lambda _request: broken)
    scene = Scene(table.url, {**_keys(), "AWS_MAX_ATTEMPTS": "1"}, table.requests)

    def once() -> bool:
        asked = [request.headers.get("X-Amz-Target") for request in table.requests]
        return len(asked) == len(set(asked))

    scene.obeyed = once
    return scene

"""Where credentials come from, and what an operator reads when they do not."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qsl

import boto3
import pytest

from kcl_processor.aws.codes import DENIED, NO_CREDENTIALS, RENEW
from kcl_processor.aws.credential_errors import NoKeys
from kcl_processor.aws.credentials import keys, session
from kcl_processor.config.access import Access, Role
from kcl_processor.errors import ExitCode
from tests.edges import Reply, Request, serving
from tests.fakes import HandClock

ROLE = "arn:aws:iam::123456789012:role/replica"
ROLE_PROFILE = f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n"


def refusal() -> NoKeys:
    """What making a session raises."""
    with pytest.raises(NoKeys) as raised:
        session("us-east-1", HandClock())
    return raised.value


@pytest.mark.parametrize(
    ("environment", "config", "code", "says"),
    [
        ({}, "", ExitCode.PERMISSION, "No AWS credentials were found"),
        ({"AWS_PROFILE": "nope"}, "", ExitCode.CONFIG, "profile 'nope' is in none"),
        (
            {"AWS_PROFILE": "nope", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
            "",
            ExitCode.CONFIG,
            "profile 'nope' is in none",
        ),
        ({"AWS_ACCESS_KEY_ID": "a"}, "", ExitCode.PERMISSION, "AWS_SECRET_ACCESS_KEY is missing"),
        ({}, "[default]\naws_access_key_id = a\n", ExitCode.PERMISSION, "aws_secret_access_key is"),
        ({}, "[default\n", ExitCode.CONFIG, "Unable to parse config file"),
        ({}, "credential_process = sh -c 'echo sorry >&2; exit 3'", ExitCode.PERMISSION, "sorry"),
        ({}, "credential_process = /not/there", ExitCode.PERMISSION, "/not/there"),
        ({}, "credential_process = echo hi", ExitCode.PERMISSION, "JSONDecodeError"),
        ({}, "credential_process = echo {}", ExitCode.PERMISSION, "Version"),
        (
            {},
            "sso_start_url = x\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r",
            ExitCode.PERMISSION,
            "The login of the default chain is over",
        ),
        (
            {},
            f"role_arn = {ROLE}\ncredential_source = Moon",
            ExitCode.CONFIG,
            'credential source "Moon"',
        ),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/not/there", "AWS_ROLE_ARN": ROLE},
            "",
            ExitCode.PERMISSION,
            "/not/there",
        ),
        (
            {"AWS_METADATA_SERVICE_TIMEOUT": "soon"},
            "",
            ExitCode.CONFIG,
            "AWS_METADATA_SERVICE_TIMEOUT, or metadata_service_timeout of the AWS profile, "
            "is 'soon'",
        ),
        (
            {"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1.5"},
            "",
            ExitCode.CONFIG,
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS, or metadata_service_num_attempts of the AWS "
            "profile, is '1.5'",
        ),
        ({}, "metadata_service_timeout = soon", ExitCode.CONFIG, "AWS profile, is 'soon'"),
    ],
)
def test_what_is_wrong_with_the_settings_is_named(
    environment: dict[str, str],
    config: str,
    code: ExitCode,
    says: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A profile that is not there is the configuration's fault, all else the credentials'."""
    whole = config if config.startswith("[") else f"[default]\n{config}\n"
    (home / ".aws/config").write_text(whole)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    error = refusal()
    assert error.exit_code == code and says in error.message
    assert error.hint and "Traceback" not in caplog.text


@pytest.mark.usefixtures("home")
def test_a_file_that_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore passes over it as if it were not there."""
    with tempfile.NamedTemporaryFile(mode="w") as file:
        file.write("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
        Path(file.name).chmod(0)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", file.name)
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe()
        asking = fork.Process(target=ask_as_nobody, args=(theirs,))
        asking.start()
        assert ours.poll(30)
        assert ours.recv() == f"The AWS configuration file {file.name} cannot be read by this user."
        asking.join()


def ask_as_nobody(answer: Connection) -> None:
    """In a process of its own, for root may read everything."""
    if os.geteuid() == 0:
        os.setuid(65534)
    answer.send(refusal().message)


def sts(code: str, status: int = 403) -> Reply:
    error = f"<Error><Code>{code}</Code><Message>said STS</Message></Error>"
    return Reply(f"<ErrorResponse>{error}</ErrorResponse>".encode(), status)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("code", "status", "exit_code", "as_code"),
    [
        ("AccessDenied", 403, ExitCode.PERMISSION, "AccessDenied"),
        ("ExpiredToken", 403, ExitCode.PERMISSION, "ExpiredToken"),
        ("InvalidClientTokenId", 403, ExitCode.PERMISSION, "InvalidClientTokenId"),
        ("ValidationError", 400, ExitCode.PERMISSION, NO_CREDENTIALS),
        ("Throttling", 400, ExitCode.CRASH, "Throttling"),
        ("InternalFailure", 500, ExitCode.CRASH, "InternalFailure"),
    ],
)
def test_a_role_that_is_refused_is_named_with_what_sts_said(
    code: str,
    status: int,
    exit_code: ExitCode,
    as_code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A denial needs a person, refused keys may be renewed, trouble of STS passes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with serving(lambda _request: sts(code, status)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        with pytest.raises(NoKeys) as raised:
            session("us-east-1", HandClock(), Access(roles=(Role(ROLE),)))
    assert raised.value.exit_code == exit_code
    assert ROLE in raised.value.message and f"AssumeRole: {code}: said STS" in raised.value.message
    assert (raised.value.status, raised.value.code) == (status, as_code)
    assert as_code == NO_CREDENTIALS or exit_code == ExitCode.CRASH or as_code in DENIED | RENEW


@pytest.mark.usefixtures("home")
def test_a_role_that_cannot_be_asked_for_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's fault is neither the credentials' nor the configuration's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    with pytest.raises(NoKeys) as raised:
        session("us-east-1", HandClock(), Access(roles=(Role(ROLE),)))
    assert raised.value.exit_code == ExitCode.CRASH
    assert (raised.value.status, raised.value.code) == (0, "EndpointConnectionError")


@pytest.mark.usefixtures("home")
def test_a_proxy_that_is_no_url_is_named_on_the_way_to_a_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """STS is asked before the table is; nobody else would say which setting it was."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy:port")
    with pytest.raises(NoKeys, match="HTTPS_PROXY does not name a proxy") as raised:
        session("us-east-1", HandClock(), Access(roles=(Role(ROLE),)))
    assert raised.value.exit_code == ExitCode.CONFIG and "secret" not in raised.value.message


def test_a_profiles_role_is_asked_for_where_the_side_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No region needs to be in the environment or the profile."""
    (home / ".aws/config").write_text(
        f"{ROLE_PROFILE}[profile base]\naws_access_key_id = BASE\naws_secret_access_key = b\n"
    )
    with serving(lambda _request: assumed("ASSUMED")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        assert keys("eu-west-3", HandClock()).access_key == "ASSUMED"
        assert server.key_ids == ["BASE"]
        assert "/eu-west-3/sts/" in server.requests[0].headers["Authorization"]


def assumed(key_id: str) -> Reply:
    expires = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    return Reply(
        f"""<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key_id}</AccessKeyId>
        <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
        <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
        """.encode()
    )


@pytest.mark.usefixtures("home")
def test_a_role_is_assumed_with_what_the_chain_holds(
    moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS gives a session of the role, in place of what the environment holds."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    role = "arn:aws:iam::444455556666:role/writer"
    assumed = session("eu-west-1", HandClock(), Access(roles=(Role(role, "x-1"),)))
    frozen = assumed.get_credentials().get_frozen_credentials()
    assert frozen.access_key != "test" and frozen.token
    client = assumed.create_client("sts", region_name="eu-west-1", endpoint_url=moto_url)
    who = client.get_caller_identity()["Arn"]
    assert who == "arn:aws:sts::444455556666:assumed-role/writer/kcl-processor"


def shared(home: Path, *profiles: str) -> None:
    """Profiles with a key each, which is called as they are."""
    (home / ".aws/credentials").write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {name.upper()}\naws_secret_access_key = s\n"
            for name in profiles
        )
    )


def test_a_profile_stands_in_the_place_of_the_default_chain(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment holds; and the default chain is as it was beside it."""
    shared(home, "one", "two")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    found = [
        keys("us-east-1", HandClock(), access).access_key
        for access in (Access("one"), Access("two"), Access())
    ]
    assert found == ["ONE", "TWO", "ENVIRONMENT"]


def test_a_profile_without_keys_does_not_lead_to_the_hosts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore would ask for the instance's role, which is of another account."""
    (home / ".aws/config").write_text("[profile empty]\nregion = us-east-1\n")
    with serving(metadata) as server:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        with pytest.raises(NoKeys, match="profile 'empty' leads to no credentials") as raised:
            session("us-east-1", HandClock(), Access("empty"))
        assert server.requests == []
    assert raised.value.exit_code == ExitCode.CONFIG
    with pytest.raises(NoKeys, match="profile 'nope' is in none"):
        session("us-east-1", HandClock(), Access("nope"))


def test_of_a_profile_only_its_keys_count(home: Path) -> None:
    """The other settings are of the process, for both languages: here an endpoint."""
    shared(home, "one")
    (home / ".aws/config").write_text("[profile one]\nendpoint_url = http://127.0.0.1:1\n")
    made = boto3.Session(botocore_session=session("eu-west-1", HandClock(), Access("one")))
    url = made.client("dynamodb", region_name="eu-west-1").meta.endpoint_url
    assert url == "https://dynamodb.eu-west-1.amazonaws.com"


def test_a_profiles_keys_are_read_again_when_the_file_changes(home: Path) -> None:
    """As the default chain's are."""
    shared(home, "one")
    found = keys("us-east-1", HandClock(), Access("one"))
    assert found.access_key == "ONE"
    path = home / ".aws/credentials"
    path.write_text(path.read_text().replace("ONE", "RENEWED"))
    assert found.access_key == "RENEWED"


def test_roles_are_assumed_one_by_the_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its own external id, the first with the profile; a refusal goes down the chain."""
    shared(home, "one")
    hub, spoke = ROLE + "-hub", ROLE + "-spoke"
    access = Access("one", (Role(hub), Role(spoke, "x-2")), "replica-1")
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> Reply:
        said = dict(parse_qsl(request.body.decode()))
        asked.append({"by": request.key_id, **said})
        return assumed(said["RoleArn"].rpartition("-")[2].upper())

    with serving(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        found = keys("eu-west-3", HandClock(), access)
        assert found.access_key == "SPOKE"
        assert "/eu-west-3/sts/" in server.requests[0].headers["Authorization"]
    told = [(one["by"], one["RoleArn"], one.get("ExternalId")) for one in asked]
    assert told == [("ONE", hub, None), ("HUB", spoke, "x-2")]
    assert {one["RoleSessionName"] for one in asked} == {"replica-1"}


def metadata(request: Request) -> Reply:
    """EC2's instance metadata, version 2."""
    if request.method == "PUT":
        return Reply(b"token")
    if request.path.endswith("/security-credentials/"):
        return Reply(b"role")
    expires = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    credentials = {"AccessKeyId": "METADATA", "SecretAccessKey": "s", "Token": "t"}
    return Reply(json.dumps({**credentials, "Code": "Success", "Expiration": expires}).encode())


@pytest.mark.usefixtures("home")
def test_instance_metadata_may_take_longer_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy host's answer is late, not missing."""

    def late(request: Request) -> Reply:
        time.sleep(1.3)
        return metadata(request)

    with serving(late) as server:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        assert keys("us-east-1", HandClock()).access_key == "METADATA"


@pytest.mark.usefixtures("home")
def test_instance_metadata_is_asked_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is an error now may be credentials the next time."""
    answers = 0

    def uneven(request: Request) -> Reply:
        nonlocal answers
        answers += 1
        return Reply(b"busy", 503) if answers % 2 else metadata(request)

    with serving(uneven) as server:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        assert keys("us-east-1", HandClock()).access_key == "METADATA"


def counting_program(home: Path) -> None:
    """A profile whose program gives another key each time, and tells no expiry."""
    counter, script = home / "count", home / "keys.sh"
    counter.write_text("")
    script.write_text(
        f"""#!/bin/sh
printf x >> {counter}
echo '{{"Version": 1, "AccessKeyId": "KEY'$(wc -c < {counter})'", "SecretAccessKey": "s"}}'
"""
    )
    script.chmod(0o700)
    (home / ".aws/config").write_text(f"[default]\ncredential_process = {script}\n")


def test_a_session_looks_again_when_a_service_refuses(
    home: Path,
) -> None:
    """boto3's clients follow the source, too: here a program, which tells no expiry."""
    counting_program(home)
    clock = HandClock()
    expired = {"__type": "x#ExpiredTokenException", "message": "old"}

    def answer(request: Request) -> Reply:
        return Reply.of(expired, 400) if request.key_id == "KEY1" else Reply.of({"TableNames": []})

    with serving(answer) as server:
        made = boto3.Session(botocore_session=session("us-east-1", clock))
        client = made.client("dynamodb", endpoint_url=server.url)
        with pytest.raises(client.exceptions.ClientError):
            client.list_tables()
        clock.turn(60)
        assert client.list_tables()["TableNames"] == []
        assert server.key_ids[-1] == "KEY2"


def test_a_role_is_assumed_with_other_keys_when_sts_refuses(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the chain under it are the ones to look for."""
    counting_program(home)
    clock = HandClock()

    def answer(request: Request) -> Reply:
        return sts("ExpiredToken") if request.key_id == "KEY1" else assumed("ASSUMED")

    with serving(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        role = keys("us-east-1", clock, Access(roles=(Role(ROLE),)))
        with pytest.raises(NoKeys, match="ExpiredToken"):
            role.get_frozen_credentials()
        clock.turn(60)
        assert role.access_key == "ASSUMED"

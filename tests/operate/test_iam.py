"""Policies: real ARNs, no more than is needed, and both ways over an account's border."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.access import DEFAULT, Access, Role
from kcl_processor.config.task import Side, Task, ThrottleWhen
from kcl_processor.launch.preflight import check_queue
from kcl_processor.operate import freeze, iam
from kcl_processor.state.dead_letters import open_place
from tests.kcl_tables import fill, make_source_and_destination, make_task

ARNS = iam.Arns(
    source="arn:aws:dynamodb:us-east-1:111122223333:table/orders",
    stream="arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2026-01-01T00:00:00.000",
    destination="arn:aws:dynamodb:eu-west-1:444455556666:table/orders",
    leases="arn:aws:dynamodb:us-east-1:111122223333:table/App",
    coordinator="arn:aws:dynamodb:us-east-1:111122223333:table/App-CoordinatorState",
    workers="arn:aws:dynamodb:us-east-1:111122223333:table/App-WorkerMetricStats",
)
ROLE = "arn:aws:iam::444455556666:role/writer"


def statements(task: Task, role: str, *, tools: bool = True) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in iam.policy(task, role, ARNS, tools=tools)["Statement"]}


def test_each_role_touches_its_own_resources() -> None:
    """The source role cannot write, the destination role cannot read the stream."""
    task = make_task()
    source = statements(task, "source")
    assert source["ReadStream"]["Resource"] == [ARNS.stream]
    assert not any("Write" in a or "Put" in a for s in source.values() for a in s["Action"])
    assert statements(task, "destination")["Write"]["Action"] == [
        "dynamodb:BatchWriteItem",
        "dynamodb:DescribeTable",
    ]
    assert not any(
        "*" in arn
        for s in statements(task, "kcl").values()
        for arn in s["Resource"][:3]
        if s["Sid"] not in ("Metrics", "ToolsUninstallAlarms")
    )


def test_what_only_the_tools_need_can_be_left_out() -> None:
    """The daemon's own policy has no Scan on the tables."""
    for role in ("source", "destination"):
        daemon = statements(make_task(), role, tools=False)
        assert "dynamodb:Scan" not in {a for s in daemon.values() for a in s["Action"]}


def test_who_heals_beside_the_daemon_has_its_roles() -> None:
    """It exports both tables to the task's bucket, and looks at single keys; it imports nothing."""
    task = replace(make_task(), on_gap="heal", heal_bucket="changes/orders")
    for role, arn in (("source", ARNS.source), ("destination", ARNS.destination)):
        daemons = statements(task, role, tools=False)
        assert daemons["ToolsExport"]["Resource"] == [arn]
        assert daemons["ToolsUseBucket"]["Resource"] == ["arn:aws:s3:::changes/*"]
        assert "ToolsCopyAndVerify" in daemons and "ToolsImport" not in daemons
    assert "ToolsRepairAndLiveCopy" in daemons
    assert "ToolsExport" not in statements(replace(task, on_gap="continue"), "source")


def test_exports_and_imports_go_by_a_bucket() -> None:
    """For the tools alone, and where a bucket is named: either side's role exports its table, and
    the destination's imports."""
    given: dict[str, Any] = {"bucket": "exports"}
    source, destination = (
        {
            one["Sid"]: (one["Action"], one["Resource"])
            for one in iam.policy(make_task(), role, ARNS, **given)["Statement"]
            if "port" in one["Sid"] or "Bucket" in one["Sid"]
        }
        for role in ("source", "destination")
    )
    assert source == {
        "ToolsExport": (
            [
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:ExportTableToPointInTime",
                "dynamodb:UpdateContinuousBackups",
            ],
            [ARNS.source],
        ),
        "ToolsAwaitExport": (["dynamodb:DescribeExport"], [f"{ARNS.source}/export/*"]),
        "ToolsFindExport": (["s3:ListBucket"], ["arn:aws:s3:::exports"]),
        "ToolsUseBucket": (
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            ["arn:aws:s3:::exports/*"],
        ),
    }
    assert destination["ToolsImport"][1] == [ARNS.destination]
    assert destination["ToolsAwaitImport"][1] == [f"{ARNS.destination}/import/*"]
    assert destination["ToolsExport"] == (source["ToolsExport"][0], [ARNS.destination])
    assert destination["ToolsUseBucket"] == source["ToolsUseBucket"]
    assert destination["ToolsImportLog"][1] == [
        "arn:aws:logs:eu-west-1:444455556666:log-group:/aws-dynamodb/*"
    ]
    for role in ("source", "destination"):
        assert "s3" not in str(iam.policy(make_task(), role, ARNS, tools=False, **given))
        assert "s3" not in str(iam.policy(make_task(), role, ARNS))


def test_only_who_is_to_freeze_the_source_may_change_its_policy() -> None:
    """By a policy anybody can be let in."""
    task = make_task()
    document = iam.policy(task, "source", ARNS, freezing=True)
    (freezing,) = [one for one in document["Statement"] if one["Sid"] == "ToolsFreeze"]
    assert freezing["Resource"] == [ARNS.source]
    assert freezing["Action"] == [f"dynamodb:{one}" for one in freeze.ACTIONS]
    others = json.dumps([iam.policy(task, role, ARNS) for role in iam.ROLES])
    assert "PutResourcePolicy" not in others and "DeleteResourcePolicy" not in others


def test_metrics_are_held_to_their_namespace() -> None:
    """PutMetricData knows no resource, so a condition narrows it; without metrics it is absent."""
    task = make_task()
    condition = statements(task, "kcl")["Metrics"]["Condition"]
    assert condition == {"StringEquals": {"cloudwatch:namespace": task.kcl.application_name}}
    silent = replace(task, metrics=replace(task.metrics, publish=False))
    assert "Metrics" not in statements(silent, "kcl")


def test_a_customers_key_is_used_through_dynamodb_alone() -> None:
    """By the role of the table that it encrypts; a table without one has no word of KMS."""
    key = "arn:aws:kms:us-east-1:111122223333:key/1"
    arns = replace(ARNS, source_key=key)
    (found,) = [
        s for s in iam.policy(make_task(), "source", arns)["Statement"] if s["Sid"] == "TableKey"
    ]
    assert found["Resource"] == [key] and "kms:Decrypt" in found["Action"]
    assert found["Condition"]["StringEquals"] == {
        "kms:ViaService": "dynamodb.us-east-1.amazonaws.com"
    }
    assert "kms" not in json.dumps(iam.policy(make_task(), "destination", arns))


def test_uninstall_deletes_only_the_tables_of_kcl() -> None:
    """A statement of its own, that a daemon's policy leaves out."""
    found = statements(make_task(), "kcl")["ToolsUninstall"]
    assert found["Action"] == ["dynamodb:DeleteTable"]
    assert found["Resource"] == [ARNS.leases, ARNS.coordinator, ARNS.workers]
    assert "ToolsUninstall" not in statements(make_task(), "kcl", tools=False)


def test_an_alarm_that_throttles_is_looked_at_by_the_destinations_role() -> None:
    """By the daemon; a command needs nothing of AWS that is known here."""
    task = make_task(throttle_when=ThrottleWhen(alarm="hot"))
    found = statements(task, "destination", tools=False)["ThrottleAlarm"]
    assert (found["Action"], found["Resource"]) == (["cloudwatch:DescribeAlarms"], ["*"])
    assert "ThrottleAlarm" not in statements(task, "source")
    for when in (None, ThrottleWhen(command="true")):
        assert "ThrottleAlarm" not in statements(make_task(throttle_when=when), "destination")


QUEUE = "arn:aws:sqs:eu-west-1:123456789012:letters"


@pytest.mark.parametrize(
    "place", [QUEUE, "https://sqs.eu-west-1.amazonaws.com/123456789012/letters"]
)
def test_a_queue_of_dead_letters_is_the_default_credentials(place: str) -> None:
    """They put letters there; only `replay` takes them out. A task without a queue has no word of
    SQS in its policies."""
    task = make_task(dead_letters=place)
    found = statements(task, "kcl")
    assert found["LetterQueue"]["Resource"] == found["ToolsReplay"]["Resource"] == [QUEUE]
    assert "ToolsReplay" not in statements(task, "kcl", tools=False)
    for other in (statements(task, "source"), statements(make_task(dead_letters="file"), "kcl")):
        assert "sqs:" not in json.dumps(other)


def test_the_calls_on_a_queue_are_those_that_its_policy_allows(
    moto_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Held against what is called: by a record processor, by `replay` and by `doctor`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto_url)
    monkeypatch.setattr("kcl_processor.state.dead_letters._LONG_POLL", 0)
    # A region of its own, as clients are kept.
    region = "ap-south-2"
    client = clients.queues(region, None, DEFAULT)
    arn = f"arn:aws:sqs:{region}:123456789012:{uuid.uuid4().hex}"
    client.create_queue(QueueName=arn.rpartition(":")[2])
    called: set[str] = set()
    client.meta.events.register(
        "before-call.sqs", lambda model, **_: called.add(f"sqs:{model.name}")
    )
    task = make_task(dead_letters=arn)
    kept = ("LetterQueue", "ToolsReplay")
    allowed = {name: set(statements(task, "kcl")[name]["Action"]) for name in kept}
    place = open_place(arn, region, DEFAULT, tmp_path / "spare")
    for n in (1, 2):
        place.put(letter(n))
    check_queue(task, arn)
    assert called == allowed["LetterQueue"]
    one, _two = place.letters()
    place.settle(one)
    place.release()
    assert called == allowed["LetterQueue"] | allowed["ToolsReplay"]


def letter(number: int) -> bytes:
    """A letter that a queue may hold."""
    key = {"pk": {"S": str(number)}}
    place = {"task": "t", "shardId": "s", "sequenceNumber": str(number)}
    return json.dumps({**place, "key": key, "image": key}).encode()


def test_a_role_of_another_account_is_assumed_and_trusts() -> None:
    """The caller may assume the side's role; the role trusts the caller, with its external id."""
    side = Side("eu-west-1", "orders", access=Access(roles=(Role(ROLE, "x-1"),)))
    task = make_task(destination=side)
    assert statements(task, "kcl")["AssumeSides"]["Resource"] == [ROLE]
    (trust,) = iam.trust(side.access.roles[0], "arn:aws:iam::111122223333:role/daemon")["Statement"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "x-1"}}
    assert "AssumeSides" not in statements(make_task(), "kcl")


HUB = "arn:aws:iam::111122223333:role/hub"


def test_a_chain_is_assumed_and_trusted_link_by_link() -> None:
    """The base may assume the first role alone; each role needs the next, and trusts the last."""
    side = Side("eu-west-1", "orders", access=Access("p", (Role(HUB), Role(ROLE, "x-1"))))
    assert "AssumeSides" not in statements(make_task(destination=side), "kcl")
    assumed = {
        who: document["Statement"][0]["Resource"]
        for who, document in iam.assuming(side.access).items()
    }
    assert assumed == {"the profile p": [HUB], HUB: [ROLE]}
    hub, writer = iam.trusts(side.access, "arn:aws:iam::111122223333:user/u").values()
    assert hub["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111122223333:user/u"}
    assert "Condition" not in hub["Statement"][0]
    assert writer["Statement"][0]["Principal"] == {"AWS": HUB}
    assert writer["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": "x-1"}}


def test_a_section_with_credentials_of_its_own_has_its_own_policy() -> None:
    """What KCL's credentials need is in theirs only where they are the same."""
    task = make_task(dead_letters=QUEUE)
    ours = {"kcl": {"Metrics", "LetterQueue"}, "metrics": {"Metrics"}}
    for role, sids in ours.items():
        assert sids <= set(statements(task, role))
    apart = replace(
        task, letters_access=Access("letters"), metrics=replace(task.metrics, access=Access("m"))
    )
    assert not {"Metrics", "LetterQueue"} & set(statements(apart, "kcl"))
    assert set(statements(apart, "dead-letters")) == {"LetterQueue", "ToolsReplay"}
    assert set(statements(apart, "metrics")) == {"Metrics", "ToolsUninstallAlarms"}


def test_a_table_and_its_stream_carry_a_policy_each() -> None:
    """Resource policies name a principal and exactly the resource they are attached to."""
    attached = iam.resource_policies(make_task(), "source", ARNS, ROLE)
    assert set(attached) == {ARNS.source, ARNS.stream}
    for arn, document in attached.items():
        for statement in document["Statement"]:
            assert statement["Resource"] == arn and statement["Principal"] == {"AWS": ROLE}


def test_optional_properties_bring_their_actions() -> None:
    """Recovery points and tags need calls that nobody else makes."""
    plain = statements(make_task(), "kcl")["TableNames"]["Action"]
    asked = make_task(properties={"leaseTablePitrEnabled": "true", "workerMetricsTags": "a=b"})
    extra = set(statements(asked, "kcl")["TableNames"]["Action"]) - set(plain)
    assert extra == {
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:TagResource",
    }


@pytest.mark.parametrize("started", [False, True])
def test_arns_are_the_services_own(
    moto_url: str, monkeypatch: pytest.MonkeyPatch, *, started: bool
) -> None:
    """Before the first start STS names the account, afterwards the lease table does."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    task = make_task(moto_url)
    make_source_and_destination(task)
    if started:
        fill(task, [])
    found = iam.find_arns(task)
    account = found.source.split(":")[4]
    prefix = f"arn:aws:dynamodb:us-east-1:{account}:table/{task.kcl.application_name}"
    assert (found.leases, found.workers) == (prefix, f"{prefix}-WorkerMetricStats")
    assert found.stream.startswith(f"{found.source}/stream/")
    assert iam.caller(*iam.access_of(task, "kcl")).startswith("arn:aws:")


def test_a_session_stands_for_its_role() -> None:
    """Nobody can trust a session that ends in an hour."""
    session = "arn:aws:sts::111122223333:assumed-role/daemon/i-0abc"
    assert iam.role_of(session) == "arn:aws:iam::111122223333:role/daemon"
    assert iam.role_of(ROLE) == ROLE


def test_terraform_says_what_the_json_says() -> None:
    """HCL object syntax: keys bare or quoted, interpolation switched off."""
    document = iam.policy(make_task(), "source", ARNS)
    text = iam.terraform("orders", "aws_iam_policy", {"name": "orders", "policy": document})
    assert text.startswith('resource "aws_iam_policy" "orders" {\n  name = "orders"\n')
    for statement in document["Statement"]:
        assert all(json.dumps(action) in text for action in statement["Action"])
    assert iam.hcl({"sts:ExternalId": "${x}"}) == '{\n  "sts:ExternalId" = "$${x}"\n}'
    assert text.count("{") == text.count("}") and text.count("[") == text.count("]")

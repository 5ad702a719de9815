"""What a task's roles may touch, and not more: IAM policies with the task's own ARNs.

Which actions each side needs is not guesswork: an integration test runs the daemon through a proxy
that records its calls, and holds this list against them. Statements that only the tools need
(``copy``, ``verify``, ``replay``) have a name of their own, to be left out where nobody runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.aws.queues import queue_arn, queue_region
from kcl_processor.config.access import Access, Role
from kcl_processor.config.paths import queue_of
from kcl_processor.config.task import HEAL, Task
from kcl_processor.errors import DestinationError, OperatorError, SourceError
from kcl_processor.fleet.kcl_tables import LEASE_INDEX, table_names
from kcl_processor.launch.preflight import describe
from kcl_processor.operate import freeze
from kcl_processor.operate.identities import identity_of

ROLES = ("source", "kcl", "destination", "metrics", "dead-letters")

# Whose tables may let others in by a policy of their own.
SIDES = ("source", "destination")

STREAM_ACTIONS = ("DescribeStream", "GetRecords", "GetShardIterator")
# What KCL does to each of its tables, and `run` before it.
KCL_ACTIONS = (
    "CreateTable",
    "DeleteItem",
    "DescribeTable",
    "GetItem",
    "PutItem",
    "Scan",
    "UpdateItem",
)
# Only for a lease table of KCL 1.x or 2.x, which gets its index at the first start.
ADOPTING_ACTIONS = ("UpdateTable",)
# What puts letters into a queue, and looks whether it is there. Only an ARN takes GetQueueUrl.
LETTER_ACTIONS = ("GetQueueAttributes", "GetQueueUrl", "SendMessage")
# What `copy --managed` and `heal` ask of a table, and AWS then does with its caller's rights.
EXPORT_ACTIONS = (
    "DescribeContinuousBackups",
    "ExportTableToPointInTime",
    "UpdateContinuousBackups",
)
BUCKET_ACTIONS = ("AbortMultipartUpload", "GetObject", "PutObject")
IMPORT_LOG_ACTIONS = (
    "CreateLogGroup",
    "CreateLogStream",
    "DescribeLogGroups",
    "DescribeLogStreams",
    "PutLogEvents",
    "PutRetentionPolicy",
)
# What the daemon's own roles need, too, where gaps are healed beside it.
_HEALING = (
    "ToolsAwaitExport",
    "ToolsCopyAndVerify",
    "ToolsExport",
    "ToolsFindExport",
    "ToolsRepairAndLiveCopy",
    "ToolsUseBucket",
)
REPLAY_ACTIONS = ("ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage")
# What DynamoDB does with a customer's key for who calls it (Developer Guide, Encryption at rest).
KEY_ACTIONS = ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*")
# KCL calls these only where a property asks for recovery points or tags.
_BY_PROPERTY = {
    "Pitr": ("DescribeContinuousBackups", "UpdateContinuousBackups"),
    "PointInTimeRecovery": ("DescribeContinuousBackups", "UpdateContinuousBackups"),
    "Tags": ("TagResource",),
}

Document = dict[str, Any]


@dataclass(frozen=True)
class Arns:
    """The ARNs of a task, as the services gave them; keys are a customer's, of his tables."""

    source: str
    stream: str
    destination: str
    leases: str
    coordinator: str
    workers: str
    source_key: str | None = None
    destination_key: str | None = None


def find_arns(task: Task) -> Arns:
    """Ask for every ARN of a task.

    Raises:
        SourceError, DestinationError, OperatorError: a table or the caller cannot be found.
        PermissionDenied: a call is denied.
    """
    source = describe(task.source, SourceError, "name the source table as it is")
    destination = describe(
        task.destination, DestinationError, "kcl-processor prepare creates it like the source"
    )
    prefix = _kcl_prefix(task)
    leases, coordinator, workers = (prefix + name for name in astuple(table_names(task)))
    return Arns(
        source=source["TableArn"],
        stream=source.get("LatestStreamArn") or f"{source['TableArn']}/stream/*",
        destination=destination["TableArn"],
        leases=leases,
        coordinator=coordinator,
        workers=workers,
        source_key=_key(source),
        destination_key=_key(destination),
    )


def _key(description: Mapping[str, Any]) -> str | None:
    found = description.get("SSEDescription", {}).get("KMSMasterKeyArn")
    return str(found) if found else None


def roles_apart(task: Task, arns: Arns) -> list[str]:
    """Those of :data:`ROLES` that have statements which are in no other's policy."""
    ours = task.kcl.access
    kept = [role for role in ROLES if role in (*SIDES, "kcl") or access_of(task, role)[1] != ours]
    return [role for role in kept if _OF_ROLE[role](task, arns)]


def access_of(task: Task, role: str) -> tuple[str, Access]:
    """Whose credentials one of :data:`ROLES` is, and the region where STS is asked for them."""
    if role == "dead-letters":
        region = task.destination.region
        place = queue_of(task)
        return queue_region(place, region) if place else region, task.letters_access
    return {
        "source": (task.source.region, task.source.access),
        "kcl": (task.kcl.region, task.kcl.access),
        "destination": (task.destination.region, task.destination.access),
        "metrics": (task.metrics_region, task.metrics.access),
    }[role]


def caller(region: str, access: Access) -> str:
    """The ARN of whoever credentials are; of a role's session, the role's.

    Raises:
        OperatorError, PermissionDenied: STS does not say.
    """
    return role_of(identity_of(region, access)["Arn"])


def _kcl_prefix(task: Task) -> str:
    """What the ARNs of KCL's tables begin with, whether they exist already or not."""
    client, table = clients.checkpoints(task), task.kcl.application_name
    found = clients.described(client, table, OperatorError, "try again")
    if found:
        return str(found["TableArn"]).removesuffix(table)
    who = identity_of(task.kcl.region, task.kcl.access)
    partition = who["Arn"].split(":")[1]
    return f"arn:{partition}:dynamodb:{task.kcl.region}:{who['Account']}:table/"


def role_of(arn: str) -> str:
    """The role behind an assumed role's session; other principals as they are."""
    parts = arn.split(":")
    if len(parts) == 6 and parts[5].startswith("assumed-role/"):
        name = parts[5].split("/")[1]
        return f"arn:{parts[1]}:iam::{parts[4]}:role/{name}"
    return arn


def policy(
    task: Task,
    role: str,
    arns: Arns,
    *,
    tools: bool = True,
    bucket: str | None = None,
    freezing: bool = False,
) -> Document:
    """The identity policy of one role.

    Args:
        tools: with the statements that only the tools need.
        bucket: with those for exports that lie there, and for imports of them; those for exports to
            the bucket of a task whose gaps are healed are there anyway.
        freezing: with what ``switchover --freeze`` needs at the source. Whoever may change a
            table's policy may let anybody in, so nobody has it who was not given it.
    """
    statements = _OF_ROLE[role](task, arns)
    healed = (
        task.heal_bucket.partition("/")[0] if task.heal_bucket and task.on_gap == HEAL else None
    )
    exported = bucket or healed
    if exported and role in SIDES:
        statements += _exports(arns.source if role == "source" else arns.destination, exported)
    if bucket and role == "destination":
        statements += _imports(arns)
    daemons = _HEALING if healed else ()
    kept = [
        one
        for one in statements
        if tools or one["Sid"] in daemons or not one["Sid"].startswith("Tools")
    ]
    if freezing and role == "source":
        kept.append(_allow("ToolsFreeze", freeze.ACTIONS, arns.source))
    return {"Version": "2012-10-17", "Statement": kept}


def trusts(access: Access, principal: str) -> dict[str, Document]:
    """Each role's ARN to its trust policy: who may assume it.

    Args:
        principal: who assumes the first; each further one is assumed by the one before it.
    """
    trusted = [principal, *(role.arn for role in access.roles)]
    return {role.arn: trust(role, who) for role, who in zip(access.roles, trusted, strict=False)}


def assuming(access: Access) -> dict[str, Document]:
    """What whoever assumes a role needs: the base of a chain, then each role but the last."""
    assumers = [access.base_words, *(role.arn for role in access.roles)]
    return {
        who: {"Version": "2012-10-17", "Statement": [_assume([role.arn])]}
        for who, role in zip(assumers, access.roles, strict=False)
    }


def trust(role: Role | None, principal: str) -> Document:
    """The trust policy of a role, or of one that the task does not name yet."""
    statement: Document = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
    }
    if role and role.external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": role.external_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def resource_policies(task: Task, role: str, arns: Arns, principal: str) -> dict[str, Document]:
    """Resource ARN to the policy to attach there, for a table of another account.

    A table and its stream carry a policy each (``dynamodb:PutResourcePolicy``).
    """
    attached: dict[str, Document] = {}
    for statement in policy(task, role, arns)["Statement"]:
        for arn in statement["Resource"]:
            if arn in (arns.source, arns.stream, arns.destination):
                document = attached.setdefault(arn, {"Version": "2012-10-17", "Statement": []})
                allowed = {**statement, "Principal": {"AWS": principal}, "Resource": arn}
                document["Statement"].append(allowed)
    return attached


def hcl(value: object, indent: int = 0) -> str:
    """A policy document as a Terraform expression."""
    pad = "  " * (indent + 1)
    end = "  " * indent
    if isinstance(value, Mapping):
        lines = [f"{pad}{_name(key)} = {hcl(child, indent + 1)}" for key, child in value.items()]
        return "\n".join(["{", *lines, end + "}"])
    if isinstance(value, Sequence) and not isinstance(value, str):
        lines = [f"{pad}{hcl(child, indent + 1)}," for child in value]
        return "\n".join(["[", *lines, end + "]"])
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${")
    return f'"{text}"'


def terraform(name: str, kind: str, arguments: Mapping[str, str | Document]) -> str:
    """One Terraform resource; an argument that is a policy document becomes its JSON.

    Args:
        kind: as in ``aws_iam_policy``.
    """
    lines = [
        f"  {key} = {hcl(value) if isinstance(value, str) else f'jsonencode({hcl(value, 1)})'}\n"
        for key, value in arguments.items()
    ]
    return f'resource "{kind}" "{name}" {{\n{"".join(lines)}}}\n'


def _source(task: Task, arns: Arns) -> list[Document]:
    return [
        *_table_key(task.source.region, arns.source_key),
        _allow("ReadStream", STREAM_ACTIONS, arns.stream),
        _allow("FindTable", ("DescribeTable",), arns.source),
        _allow("ToolsCopyAndVerify", ("BatchGetItem", "Scan"), arns.source),
        _allow("ToolsFindFreeze", ("GetResourcePolicy",), arns.source),
    ]


def _exports(table: str, bucket: str) -> list[Document]:
    there = _bucket_arn(table, bucket)
    return [
        _allow("ToolsExport", EXPORT_ACTIONS, table),
        _allow("ToolsAwaitExport", ("DescribeExport",), f"{table}/export/*"),
        _allow("ToolsFindExport", ("ListBucket",), there, service="s3"),
        _allow("ToolsUseBucket", BUCKET_ACTIONS, f"{there}/*", service="s3"),
    ]


def _imports(arns: Arns) -> list[Document]:
    """What ImportTable needs of whoever calls it, besides reading the bucket (developer guide,
    "Requesting a table import")."""
    _, partition, _, region, account, _ = arns.destination.split(":", 5)
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:/aws-dynamodb/*"
    return [
        _allow("ToolsImport", ("ImportTable", "UpdateTable"), arns.destination),
        _allow("ToolsAwaitImport", ("DescribeImport",), f"{arns.destination}/import/*"),
        # It has no resource to be held to (service authorization reference).
        _allow("ToolsFindImport", ("ListImports",), "*"),
        _allow("ToolsImportLog", IMPORT_LOG_ACTIONS, logs, service="logs"),
    ]


def _bucket_arn(table: str, bucket: str) -> str:
    return f"arn:{table.split(':')[1]}:s3:::{bucket}"


def _destination(task: Task, arns: Arns) -> list[Document]:
    when = task.throttle_when
    return [
        *_table_key(task.destination.region, arns.destination_key),
        _allow("Write", ("BatchWriteItem", "DescribeTable"), arns.destination),
        _allow("ToolsCopyAndVerify", ("BatchGetItem", "Scan"), arns.destination),
        _allow("ToolsRepairAndLiveCopy", ("DeleteItem", "PutItem"), arns.destination),
        *(_throttle_alarm() if when and when.alarm else ()),
    ]


def _throttle_alarm() -> list[Document]:
    # Composite alarms are told of to whom it is allowed for all (CloudWatch API, DescribeAlarms).
    return [_allow("ThrottleAlarm", ("DescribeAlarms",), "*", service="cloudwatch")]


def _table_key(region: str, key: str | None) -> list[Document]:
    """DynamoDB uses a customer's key on behalf of its caller."""
    if key is None:
        return []
    through = {"StringEquals": {"kms:ViaService": f"dynamodb.{region}.amazonaws.com"}}
    return [{**_allow("TableKey", KEY_ACTIONS, key, service="kms"), "Condition": through}]


def _kcl(task: Task, arns: Arns) -> list[Document]:
    tables = (arns.leases, arns.coordinator, arns.workers)
    asked = {
        action
        for word, actions in _BY_PROPERTY.items()
        if any(word in name for name in task.kcl.properties)
        for action in actions
    }
    statements = [
        _allow("TableNames", (*KCL_ACTIONS, *asked), *tables),
        _allow("AdoptLeaseTable", ADOPTING_ACTIONS, arns.leases),
        _allow("LeaseIndex", ("Query",), f"{arns.leases}/index/{LEASE_INDEX}"),
        _allow("ToolsUninstall", ("DeleteTable",), *tables),
    ]
    ours = task.kcl.access
    for role in ("dead-letters", "metrics"):
        if access_of(task, role)[1] == ours:
            statements += _OF_ROLE[role](task, arns)
    others = [
        access_of(task, role)[1] for role in ROLES if role == "kcl" or _OF_ROLE[role](task, arns)
    ]
    assumed = sorted({one.roles[0].arn for one in others if one.roles and one.base == ours})
    return [*statements, _assume(assumed)] if assumed else statements


def _letters(task: Task, arns: Arns) -> list[Document]:
    queue = queue_of(task)
    if queue is None:
        return []
    arn = queue_arn(queue, task.destination.region, arns.leases.split(":")[1])
    return [
        _allow("LetterQueue", LETTER_ACTIONS, arn, service="sqs"),
        _allow("ToolsReplay", REPLAY_ACTIONS, arn, service="sqs"),
    ]


def _metrics(task: Task, _arns: Arns) -> list[Document]:
    """KCL publishes its own metrics with the same credentials."""
    if not task.metrics.publish:
        return []
    return [
        {
            **_allow("Metrics", ("PutMetricData",), "*", service="cloudwatch"),
            "Condition": {"StringEquals": {"cloudwatch:namespace": task.kcl.application_name}},
        },
        _allow(
            "ToolsUninstallAlarms", ("DeleteAlarms", "DescribeAlarms"), "*", service="cloudwatch"
        ),
    ]


_OF_ROLE: Mapping[str, Callable[[Task, Arns], list[Document]]] = {
    "source": _source,
    "kcl": _kcl,
    "destination": _destination,
    "metrics": _metrics,
    "dead-letters": _letters,
}


def _assume(roles: Sequence[str]) -> Document:
    return _allow("AssumeSides", ("AssumeRole",), *roles, service="sts")


def _allow(
    sid: str, actions: Sequence[str], *resources: str, service: str = "dynamodb"
) -> Document:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in sorted(actions)],
        "Resource": list(resources),
    }


def _name(key: object) -> str:
    text = str(key)
    return text if text.isidentifier() else f'"{text}"'

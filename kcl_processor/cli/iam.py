"""Print the policies that a task's roles need, with the task's own ARNs.

  source        reads the source's stream, and the table for copy and verify
  kcl           KCL's three tables, and what it does for others with the same credentials:
                CloudWatch, the queue of dead letters, assuming their roles
  destination   writes the destination
  metrics       CloudWatch, with credentials of its own
  dead-letters  the queue of dead letters, with credentials of its own

Without --role, each that has one of its own is printed, by name. Where all run under one role,
attach all. For a table in another account there are two ways: give
the side a role_arn (--kind trust prints that role's trust policy), or attach a resource policy to
the table and to its stream (--kind resource). --kind assume prints what whoever assumes a
section's roles needs for that; of a chain, trust and assume print a list. Statements whose Sid
begins with Tools are for copy, verify, switchover, replay and uninstall; --daemon-only leaves them
out. --freeze adds what switchover --freeze needs at the source: to change the table's policy, by
which anybody can be let in. prepare, which creates tables, is a one-time task of an administrator
and not in these policies.

example:
  kcl-processor iam orders --role source
"""

from __future__ import annotations

import argparse
import re

from kcl_processor.cli.output import print_json
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.operate.iam import (
    ROLES,
    SIDES,
    Arns,
    Document,
    access_of,
    assuming,
    caller,
    find_arns,
    policy,
    resource_policies,
    roles_apart,
    terraform,
    trust,
    trusts,
)

# What each kind of document is told by, where there are several.
_ON = {"resource": "ResourceArn", "trust": "RoleArn", "assume": "Assumer"}

_ALL = "all"

HELP = "print least-privilege policies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    parser.add_argument(
        "--role", choices=(_ALL, *ROLES), default=_ALL, help="whose policy (default: all)"
    )
    parser.add_argument(
        "--kind",
        choices=("identity", "trust", "assume", "resource"),
        default="identity",
        help="attached to the role (default), the trust of a section's roles, attached to who "
        "assumes these, or attached to the tables",
    )
    parser.add_argument(
        "--principal",
        metavar="ARN",
        help="who is trusted or let in (default: the section's credentials without its roles)",
    )
    parser.add_argument(
        "--daemon-only", action="store_true", help="without the statements for tools"
    )
    parser.add_argument(
        "--bucket", metavar="NAME", help="with what exports to this bucket and imports take"
    )
    parser.add_argument(
        "--freeze", action="store_true", help="source: with what switchover --freeze needs"
    )
    parser.add_argument("--terraform", action="store_true", help="HCL instead of JSON")


def run(args: argparse.Namespace) -> int:
    if args.freeze and (args.role not in (_ALL, "source") or args.kind != "identity"):
        raise ConfigError("Only the source is frozen.", "--role source --kind identity --freeze")
    task = chosen_task(args)
    arns = find_arns(task)
    if args.role == _ALL:
        return _print_all(task, args, arns)
    documents = _documents(task, args, arns)
    if args.terraform:
        print(_hcl(task, args, documents), end="")
    elif "" not in documents:
        print_json([{_ON[args.kind]: on, "Policy": one} for on, one in documents.items()])
    else:
        print_json(documents[""])
    return ExitCode.OK


def _print_all(task: Task, args: argparse.Namespace, arns: Arns) -> int:
    if args.kind != "identity":
        raise ConfigError(f"A document of kind {args.kind} is of one role.", "--role source")
    roles = roles_apart(task, arns)
    if args.terraform:
        ones = [argparse.Namespace(**{**vars(args), "role": role}) for role in roles]
        print("\n".join(_hcl(task, one, _documents(task, one, arns)) for one in ones), end="")
    else:
        print_json({role: _policy(task, role, args, arns) for role in roles})
    return ExitCode.OK


def _policy(task: Task, role: str, args: argparse.Namespace, arns: Arns) -> Document:
    tools = not args.daemon_only
    return policy(task, role, arns, tools=tools, bucket=args.bucket, freezing=args.freeze)


def _hcl(task: Task, args: argparse.Namespace, documents: dict[str, Document]) -> str:
    return "\n".join(_terraform(task, args, on, one) for on, one in documents.items())


def _documents(task: Task, args: argparse.Namespace, arns: Arns) -> dict[str, Document]:
    if args.kind == "identity":
        return {"": _policy(task, args.role, args, arns)}
    region, access = access_of(task, args.role)
    if args.kind == "resource" and args.role not in SIDES:
        raise ConfigError(
            "Only the tables of both sides are let in to by a policy of their own.",
            "--role source, or --role destination",
        )
    # A side's role may be made before the task names it.
    if not access.roles and (args.kind == "assume" or args.role not in SIDES):
        raise ConfigError(
            f"The task's {args.role} assumes no role.", "name one by role_arn in that section"
        )
    if args.kind == "assume":
        return _alone(assuming(access))
    principal = args.principal or caller(region, access.base)
    if args.kind == "resource":
        return resource_policies(task, args.role, arns, principal)
    return _alone(trusts(access, principal)) or {"": trust(None, principal)}


def _alone(documents: dict[str, Document]) -> dict[str, Document]:
    """An only document needs no name."""
    return {"": next(iter(documents.values()))} if len(documents) == 1 else documents


def _terraform(task: Task, args: argparse.Namespace, on: str, document: Document) -> str:
    name = re.sub(r"\W", "_", f"kcl_processor_{task.name}_{args.role}")
    title = f"kcl-processor-{task.name}-{args.role}"
    if args.kind == "resource":
        name += "_stream" if "/stream/" in on else ""
        attached: dict[str, str | Document] = {"resource_arn": on, "policy": document}
        return terraform(name, "aws_dynamodb_resource_policy", attached)
    if on:
        own = on.rpartition("/")[2]
        name, title = name + re.sub(r"\W", "_", f"_{own}"), f"{title}-{own.replace(' ', '-')}"
    if args.kind == "trust":
        title = on.rpartition("/")[2] or title
        return terraform(name, "aws_iam_role", {"name": title, "assume_role_policy": document})
    if args.kind == "assume":
        name, title = f"{name}_assume", f"{title}-assume"
    return terraform(name, "aws_iam_policy", {"name": title, "policy": document})

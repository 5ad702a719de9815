"""Print the policies that a task's roles need, with the task's own ARNs.

  source        reads the source's stream, and the table for copy and verify
  kcl           KCL's three tables, CloudWatch, the queue of dead letters if the task has one, and
                assuming the sides' roles
  destination   writes the destination

Where all three run under one role, attach all three. For a table in another account there are two
ways: give the side a role_arn (--kind trust prints that role's trust policy), or attach a resource
policy to the table and to its stream (--kind resource). Statements whose Sid begins with Tools
are for copy, verify and replay; --daemon-only leaves them out. prepare, which creates tables, is a
one-time task of an administrator and not in these policies.
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
    Arns,
    Document,
    caller,
    find_arns,
    policy,
    resource_policies,
    terraform,
    trust,
)

HELP = "print least-privilege policies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    parser.add_argument("--role", choices=ROLES, required=True)
    parser.add_argument(
        "--kind",
        choices=("identity", "trust", "resource"),
        default="identity",
        help="attached to the role (default), the role's trust, or attached to the tables",
    )
    parser.add_argument(
        "--principal", metavar="ARN", help="who is trusted or let in (default: these credentials')"
    )
    parser.add_argument(
        "--daemon-only", action="store_true", help="without copy, verify and replay"
    )
    parser.add_argument("--terraform", action="store_true", help="HCL instead of JSON")


def run(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    arns = find_arns(task)
    documents = _documents(task, args, arns)
    if args.terraform:
        print("\n".join(_terraform(task, args, on, one) for on, one in documents.items()), end="")
    elif args.kind == "resource":
        print_json([{"ResourceArn": on, "Policy": one} for on, one in documents.items()])
    else:
        print_json(documents[""])
    return ExitCode.OK


def _documents(task: Task, args: argparse.Namespace, arns: Arns) -> dict[str, Document]:
    if args.kind == "identity":
        return {"": policy(task, args.role, arns, tools=not args.daemon_only)}
    if args.role == "kcl":
        raise ConfigError(
            "KCL's tables live in the account of the default credentials.",
            "--role source, or --role destination",
        )
    principal = args.principal or caller(task)
    if args.kind == "resource":
        return resource_policies(task, args.role, arns, principal)
    side = task.source if args.role == "source" else task.destination
    return {"": trust(side, principal)}


def _terraform(task: Task, args: argparse.Namespace, on: str, document: Document) -> str:
    name = re.sub(r"\W", "_", f"kcl_processor_{task.name}_{args.role}")
    if on:
        name += "_stream" if "/stream/" in on else ""
        attached: dict[str, str | Document] = {"resource_arn": on, "policy": document}
        return terraform(name, "aws_dynamodb_resource_policy", attached)
    title = f"kcl-processor-{task.name}-{args.role}"
    if args.kind == "trust":
        return terraform(name, "aws_iam_role", {"name": title, "assume_role_policy": document})
    return terraform(name, "aws_iam_policy", {"name": title, "policy": document})

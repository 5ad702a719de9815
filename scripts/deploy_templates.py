"""What deploy/terraform takes from the product: a task's policies and alarms, as JSON with
Terraform's ``${…}`` in the places where one task differs from another."""

from __future__ import annotations

import json
import re
from dataclasses import fields

from kcl_processor.config.task import Kcl, Side, Source, Task
from kcl_processor.operate.dashboard import alarms
from kcl_processor.operate.iam import Arns, policy

POLICIES = "deploy/terraform/templates/policies.json.tftpl"
ALARMS = "deploy/terraform/templates/alarms.json.tftpl"
# What stands for an ARN while a policy is made, for some are taken apart by then.
_LETTERS = "arn:aws:sqs:us-east-1:123456789012:letters"
_NAMES = [field.name for field in fields(Arns) if not field.name.endswith("_key")]
_ARNS = Arns(**{name: f"arn:aws:dynamodb:us-east-1:123456789012:{name}" for name in _NAMES})


def templates() -> dict[str, str]:
    """Each template by its path in the project."""
    documents = {role: policy(_task(), role, _ARNS) for role in ("source", "kcl", "destination")}
    documents["dead-letters"] = policy(_task(_LETTERS), "dead-letters", _ARNS)
    return {POLICIES: _text(documents), ALARMS: _text(alarms(_task(), []))}


def _task(letters: str | None = None) -> Task:
    return Task(
        "${task}",
        Source("us-east-1", "source"),
        Side("us-west-2", "destination"),
        Kcl("us-east-1", None, "${application}", "worker"),
        dead_letters=letters,
    )


def _text(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"arn:aws:\w+:us-east-1:123456789012:(\w+)", r"${\1}", text) + "\n"

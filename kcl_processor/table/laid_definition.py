"""A table as rules make it of the source: the same, with its keys under their new names."""

from __future__ import annotations

from typing import Any

from kcl_processor.transform.rules import Rules


class UnknownKey(Exception):
    """An attribute of the source's key, of which the rules do not leave what it is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def laid_definition(source: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """The source as DescribeTable tells it, with the names that its attributes have by the rules.

    An index whose keys the rules do not leave as they are is left out, for their types are not
    known.

    Raises:
        UnknownKey: the table's own keys are not left as they are.
    """
    names = {
        attribute["AttributeName"]: name_by(rules, attribute["AttributeName"])
        for attribute in source["AttributeDefinitions"]
    }
    for key in source["KeySchema"]:
        if names[key["AttributeName"]] is None:
            raise UnknownKey(key["AttributeName"])
    laid = {**source, "KeySchema": _renamed(source["KeySchema"], names)}
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        laid[kind] = [
            _index(index, names, rules)
            for index in source.get(kind, ())
            if all(names[key["AttributeName"]] for key in index["KeySchema"])
        ]
    schemas = [laid, *laid["GlobalSecondaryIndexes"], *laid["LocalSecondaryIndexes"]]
    used = {key["AttributeName"] for schema in schemas for key in schema["KeySchema"]}
    laid["AttributeDefinitions"] = [
        definition
        for definition in _renamed(source["AttributeDefinitions"], names)
        if definition["AttributeName"] in used
    ]
    return laid


def left_out(source: dict[str, Any], laid: dict[str, Any]) -> list[str]:
    """The names of the source's indexes that a laid definition does without."""
    kinds = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    ours, theirs = (
        {index["IndexName"] for kind in kinds for index in table.get(kind, ())}
        for table in (source, laid)
    )
    return sorted(ours - theirs)


def name_by(rules: Rules, name: str) -> str | None:
    """The name under which the replica holds an attribute as the source has it, if it does."""
    renamed = {old: new for new, old in rules.rename}
    new = renamed.get(name, name)
    made = {target for target, _ in rules.set}
    made |= {target for target, old in rules.rename if old != name}
    return new if rules.keeps(name) and new not in made else None


def _renamed(
    parts: list[dict[str, str]], names: dict[str, str | None]
) -> list[dict[str, str | None]]:
    return [
        {**part, "AttributeName": names[part["AttributeName"]]}
        for part in parts
        if names[part["AttributeName"]]
    ]


def _index(index: dict[str, Any], names: dict[str, str | None], rules: Rules) -> dict[str, Any]:
    projection = dict(index["Projection"])
    if others := projection.pop("NonKeyAttributes", None):
        known = [name for other in others if (name := name_by(rules, other))]
        kind = {"NonKeyAttributes": known} if known else {"ProjectionType": "KEYS_ONLY"}
        projection |= kind
    return {**index, "KeySchema": _renamed(index["KeySchema"], names), "Projection": projection}

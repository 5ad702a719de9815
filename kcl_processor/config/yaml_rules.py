"""The section ``transform`` of a task: rules, and whether they can be meant so."""

from __future__ import annotations

from collections.abc import Iterator

from kcl_processor.config.yaml_section import Section
from kcl_processor.transform.expression import Expression, ExpressionError
from kcl_processor.transform.function import FORM
from kcl_processor.transform.rules import Pairs, Rules
from kcl_processor.transform.transform import RESERVED


def read_rules(task: Section) -> Rules | None:
    """A task's rules, if it has any.

    Raises:
        ConfigError: one of them is none, or two contradict each other.
    """
    section = task.section("transform", required=False)
    rules = Rules(
        where=section.text("where"),
        include=_names(section, "include"),
        exclude=_names(section, "exclude"),
        rename=section.pairs("rename"),
        set=section.pairs("set"),
        python=section.text("python"),
        allow_collisions=section.flag("allow_collisions", default=False),
    )
    section.finish()
    if not section.names():
        if "transform" in task.names():
            raise task.error(
                "transform", "there is no rule in it", "where, exclude, rename, set, …"
            )
        return None
    _check(section, rules)
    return rules


def _names(section: Section, key: str) -> tuple[str, ...]:
    names = section.texts(key)
    if key in section.names() and not names:
        raise section.error_in(key, "there is no name in it", "leave it out")
    for place, name in enumerate(names):
        if name in names[:place]:
            raise section.error_in(key, f"{name!r} stands twice", "keep one", place)
        if fault := _no_name(name):
            raise section.error_in(key, fault, "leave it out", place)
    return tuple(names)


def _check(section: Section, rules: Rules) -> None:
    if rules.include and rules.exclude:
        raise section.error(
            "exclude", "include and exclude stand beside each other", "keep one of them"
        )
    rename, set_ = section.section("rename", required=False), section.section("set", required=False)
    for part, pairs in ((rename, rules.rename), (set_, rules.set)):
        for name, _ in pairs:
            if fault := _no_name(name):
                raise part.error(name, fault, "call it otherwise")
    _check_rename(rename, rules)
    for name, text in rules.set:
        if name in dict(rules.rename):
            raise set_.error(name, f"{name!r} is renamed and set", "keep one of them")
        _check_expression(set_, name, text)
    if "where" in section.names():
        _check_expression(section, "where", rules.where or "")
    if "python" in section.names() and not FORM.fullmatch(rules.python or ""):
        raise section.error_in(
            "python",
            f"{rules.python or ''!r} is not of the form module:function",
            "python: mypackage.rules:flatten",
        )


def _check_rename(section: Section, rules: Rules) -> None:
    for name, reason, hint in _doubtful(rules.rename):
        raise section.error(name, reason, hint)
    for name, old in rules.rename:
        if fault := _no_name(old):
            raise section.error(name, fault, "leave it out")
        if not rules.keeps(old):
            is_left_out = "excluded" if rules.exclude else "not included"
            raise section.error(
                name, f"{old!r} is {is_left_out}", f"set.{name}: {old}, or keep {old!r}"
            )


def _doubtful(rename: Pairs) -> Iterator[tuple[str, str, str]]:
    """New names that may be meant in two ways, with why and the way on."""
    olds = [old for _, old in rename]
    for place, (name, old) in enumerate(rename):
        if old in olds[:place]:
            yield name, f"{old!r} is renamed twice", f"set.{name}: {old}"
        if name in olds:
            reason = f"{name!r} is both a new and an old name, and all old names are the source's"
            yield name, reason, f"set.{name}: {old}"


def _check_expression(section: Section, key: str, text: str) -> None:
    try:
        Expression(text)
    except ExpressionError as error:
        raise section.error_in(
            key,
            f"{error.reason}, at column {error.column} of the expression",
            "a number stands between backticks, a text between single quotes",
        ) from error


def _no_name(name: str) -> str | None:
    """Why no rule can name such an attribute, if none can."""
    if not name:
        return "an attribute's name is not empty"
    return f"{name!r} is DynamoDB's own, and never copied" if name.startswith(RESERVED) else None

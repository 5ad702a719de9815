"""The section `transform` of a task: rules as written, or an error with its place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError
from kcl_processor.transform.rules import Rules

TASK = """\
tasks:
  x:
    source: {region: us-east-1, table: orders}
    destination: {region: us-west-2, table: orders}
"""
# Loads the task with this text under its two tables.
Load = Callable[[str], Task]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str) -> Task:
        path = tmp_path / "tasks.yml"
        path.write_text(TASK + text, encoding="utf-8")
        (task,) = load_tasks(path)
        return task

    return load_text


def test_a_task_without_rules_has_none(load: Load) -> None:
    """And deletions that time to live made are applied."""
    task = load("")
    assert (task.rules, task.ttl_deletes) == (None, "apply")


def test_rules_are_read_as_they_stand(load: Load) -> None:
    """All of them, in their order."""
    task = load("""\
    ttl_deletes: skip
    transform:
      where: "status != 'draft' && total > `10`"
      exclude: [card, notes, yes, 7]
      rename: {customer: customer_id}
      set:
        origin: "'us'"
        pk: "join('#', [tenant, id])"
      python: mypackage.rules:flatten
      allow_collisions: true
""")
    assert task.ttl_deletes == "skip"
    assert task.rules == Rules(
        where="status != 'draft' && total > `10`",
        exclude=("card", "notes", "yes", "7"),
        rename=(("customer", "customer_id"),),
        set=(("origin", "'us'"), ("pk", "join('#', [tenant, id])")),
        python="mypackage.rules:flatten",
        allow_collisions=True,
    )
    included = load("    transform: {include: [a, b], rename: {c: a}}\n")
    assert included.rules == Rules(include=("a", "b"), rename=(("c", "a"),))


@pytest.mark.parametrize(
    ("text", "place", "said", "hint"),
    [
        # Of an expression file, line and column are named, and the column within it.
        (
            "    transform:\n      where: a == 10\n",
            ":6:14: tasks.x.transform.where",
            "at column 6 of",
            "backticks",
        ),
        (
            '    transform: {set: {a: "b."}}\n',
            ":5:26: tasks.x.transform.set.a",
            "too early, at column 3",
            "",
        ),
        (
            "    transform:\n      set:\n        a: >-\n          nothing(b)\n",
            ":7:12: tasks.x.transform.set.a",
            "no function nothing()",
            "",
        ),
        ("    transform: {where: ''}\n", ":5:24: tasks.x.transform.where", "it is empty", ""),
        ("    transform: {where: }\n", "tasks.x.transform.where", "it is empty", ""),
        (
            "    transform: {where: !draft }\n",
            ":5:24: tasks.x.transform.where",
            "a tag to YAML",
            "quotes",
        ),
        ("    transform: {where: [a]}\n", ":5: tasks.x.transform.where", "a text is wanted", ""),
        ("    transform:\n", ":5: tasks.x.transform", "no rule in it", "where"),
        ("    transform: {}\n", ":5: tasks.x.transform", "no rule in it", "where"),
        ("    transform: {wehre: a}\n", ":5: tasks.x.transform.wehre", "not known", "where"),
        (
            "    transform: {include: [a], exclude: [b]}\n",
            ":5: tasks.x.transform.exclude",
            "beside each other",
            "one",
        ),
        (
            "    transform: {exclude: card}\n",
            ":5:26: tasks.x.transform.exclude",
            "a list of texts",
            "exclude: [a, b]",
        ),
        ("    transform: {include: []}\n", ":5:26: tasks.x.transform.include", "no name in it", ""),
        (
            "    transform:\n      exclude:\n      - a\n      - b\n      - a\n",
            ":9:9: tasks.x.transform.exclude",
            "'a' stands twice",
            "",
        ),
        (
            "    transform: {exclude: [a, 'aws:rep:deleting']}\n",
            ":5:30: tasks.x.transform.exclude",
            "never copied",
            "",
        ),
        ("    transform: {include: ['']}\n", ":5:27: tasks.x.transform.include", "not empty", ""),
        (
            "    transform: {exclude: [a], rename: {b: a}}\n",
            ":5: tasks.x.transform.rename.b",
            "'a' is excluded",
            "set.b: a",
        ),
        (
            "    transform: {include: [a], rename: {b: c}}\n",
            ":5: tasks.x.transform.rename.b",
            "'c' is not included",
            "set.b: c",
        ),
        (
            "    transform:\n      rename:\n        b: a\n        c: a\n",
            ":8: tasks.x.transform.rename.c",
            "'a' is renamed twice",
            "set.c: a",
        ),
        (
            "    transform:\n      rename:\n        c: b\n        b: a\n",
            ":8: tasks.x.transform.rename.b",
            "both a new and an old name",
            "set.b: a",
        ),
        (
            "    transform: {rename: {a: a}}\n",
            ":5: tasks.x.transform.rename.a",
            "both a new and an old name",
            "",
        ),
        (
            "    transform: {rename: {b: a, b: c}}\n",
            ":5: tasks.x.transform.rename.b",
            "stands twice",
            "",
        ),
        (
            "    transform: {rename: {b: a}, set: {b: c}}\n",
            ":5: tasks.x.transform.set.b",
            "renamed and set",
            "",
        ),
        ("    transform: {set: {b: a, b: c}}\n", ":5: tasks.x.transform.set.b", "stands twice", ""),
        (
            "    transform: {set: {'aws:b': a}}\n",
            ":5: tasks.x.transform.set.aws:b",
            "never copied",
            "",
        ),
        (
            "    transform: {rename: {b: 'aws:a'}}\n",
            ":5: tasks.x.transform.rename.b",
            "never copied",
            "",
        ),
        ("    transform: {set: {a: [b]}}\n", "tasks.x.transform.set.a", "a text is wanted", ""),
        ("    transform: {set: {a: }}\n", "tasks.x.transform.set.a", "a is missing", ""),
        (
            "    transform: {python: flatten}\n",
            ":5:25: tasks.x.transform.python",
            "module:function",
            "mypackage.rules:flatten",
        ),
        (
            "    transform: {python: rules.py:flatten()}\n",
            ":5:25: tasks.x.transform.python",
            "module:function",
            "",
        ),
        (
            "    transform: {python: a:b, allow_collisions: maybe}\n",
            ":5: tasks.x.transform.allow_collisions",
            "true or false",
            "",
        ),
        (
            "    ttl_deletes: ignore\n",
            ":5: tasks.x.ttl_deletes",
            "'ignore' is not one of apply, skip",
            "",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    load: Load, text: str, place: str, said: str, hint: str
) -> None:
    """File, line and key, and the way on."""
    with pytest.raises(ConfigError) as refused:
        load(text)
    assert f"{place}: " in refused.value.message
    assert said in refused.value.message and hint in refused.value.hint


def test_a_function_is_looked_for_where_it_runs_alone(load: Load) -> None:
    """`status` on a host that has no such package still works."""
    task = load("    transform: {python: a_package_of_nobody:flatten}\n")
    assert task.rules == Rules(python="a_package_of_nobody:flatten")


@given(st.text(st.sampled_from("ab:{}[],'\"`&|!@#. -\n")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_the_reader(load: Load, text: str) -> None:
    """Rules, or an error for people."""
    for key in ("where", "exclude", "rename", "set", "python"):
        with contextlib.suppress(ConfigError):
            load(f"    transform: {{{key}: {text}}}\n")

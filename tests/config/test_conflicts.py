"""Tasks of one file that would undo each other's work are refused, and only those."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.access import DEFAULT, Access, Role
from kcl_processor.config.conflicts import refuse_conflicts
from kcl_processor.config.task import Side, Source, Task, make_kcl
from kcl_processor.errors import ConfigError


def task(name: str, source: str, destination: str, role_arn: str | None = None) -> Task:
    """A task from a table in one region to another in the same region."""
    side = Source("us-east-1", source)
    access = Access(roles=(Role(role_arn),)) if role_arn else DEFAULT
    return Task(name, side, Side("us-east-1", destination, access=access), make_kcl(name, side))


def refused(*tasks: Task) -> str:
    """What a file of these tasks is refused with; empty if it is not."""
    try:
        refuse_conflicts(Path("tasks.yml"), tasks)
    except ConfigError as error:
        return error.message
    return ""


def test_two_tasks_may_not_share_a_name() -> None:
    """A list of tasks may hold one name twice, which a mapping cannot."""
    two = replace(task("a", "x", "z"), kcl=make_kcl("b", Source("us-east-1", "x")))
    assert "two tasks are called 'a'" in refused(task("a", "x", "y"), two)


def test_two_tasks_may_not_share_a_checkpoint_table() -> None:
    """Sharing one would destroy both tasks' checkpoints."""
    one = task("a", "x", "y")
    assert "share the checkpoint table" in refused(one, replace(task("b", "x", "z"), kcl=one.kcl))


@pytest.mark.parametrize("name", ["workerMetricsTableName", "coordinatorStateTableName"])
def test_two_tasks_may_not_share_another_table_of_kcls(name: str) -> None:
    """A leader would give its shards to the other task's workers, which do not look for them."""

    def naming(of: str, destination: str, table: str) -> Task:
        kcl = make_kcl(of, Source("us-east-1", "x"), properties={name: table})
        return replace(task(of, "x", destination), kcl=kcl)

    one = naming("a", "y", "shared")
    assert f"share the table shared, by {name}" in refused(one, naming("b", "z", "shared"))
    assert refused(one, naming("b", "z", "other")) == ""
    unnamed = task("b", "x", "z")
    suffix = "-CoordinatorState" if name.startswith("coordinator") else "-WorkerMetricStats"
    its_own = unnamed.kcl.application_name + suffix
    for pair in ((naming("a", "y", its_own), unnamed), (unnamed, naming("a", "y", its_own))):
        assert f"share the table {its_own}, by {name}" in refused(*pair)
    assert refused(task("a", "x", "y"), task("b", "x", "z")) == ""


def test_two_tasks_may_not_write_to_one_table() -> None:
    """Whichever wrote last would win, whatever happened last; and whatever keys their rules make,
    a comparison takes the one's items for extra in the other."""
    said = refused(task("a", "x", "z"), task("b", "y", "z"))
    assert "both write to z" in said and "for extra" in said


def test_one_table_name_in_two_accounts_is_two_tables() -> None:
    """The account is in the role's ARN; two roles of one account write to one table."""
    first, other, second = (
        f"arn:aws:iam::{account}:role/{role}"
        for account, role in ((111111111111, "w"), (222222222222, "w"), (111111111111, "v"))
    )
    one = task("a", "x", "z", role_arn=first)
    assert refused(one, task("b", "y", "z", role_arn=other)) == ""
    assert "both write to z" in refused(one, task("b", "y", "z", role_arn=second))


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (("xy", "yx"), "'xy' and 'yx' replicate in a circle"),
        (("xy", "yz", "zx"), "'xy' and 'yz' and 'zx' replicate in a circle"),
        (("xy", "yz"), ""),
        (("xy", "xz"), ""),
        (("xy", "yz", "xa", "zb"), ""),
    ],
)
def test_a_circle_is_refused_and_a_chain_is_not(pairs: tuple[str, ...], says: str) -> None:
    """A change that comes back to where it was made goes round for ever."""
    words = refused(*(task(pair, f"table-{pair[0]}", f"table-{pair[1]}") for pair in pairs))
    assert words.find(says) >= 0 if says else words == ""

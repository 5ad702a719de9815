"""Whose credentials a section names: as properties, and as far as its spelling tells."""

from __future__ import annotations

import javaproperties
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.config.access import DEFAULT, SESSION_NAME, Access, Role

ARN = "arn:aws:iam::{}:role/{}"
HUB, SPOKE = Role(ARN.format(111111111111, "hub")), Role(ARN.format(222222222222, "w"), "x-1")

_words = st.text(min_size=1).map(str.strip).filter(bool)
_roles = st.builds(Role, _words, st.none() | _words)
accesses = st.builds(
    Access, st.none() | _words, st.lists(_roles, max_size=4).map(tuple), st.just("s-1") | _words
)


@given(accesses)
def test_what_is_rendered_is_what_is_read(access: Access) -> None:
    """Through a file of properties, whatever the words hold, and for its own section alone."""
    text = javaproperties.dumps(access.properties("source"))
    read = javaproperties.loads(text)
    assert Access.read(read, "source") == access
    assert Access.read(read, "destination") == DEFAULT


def test_a_section_that_says_nothing_leaves_no_property() -> None:
    """A file looks as it always did."""
    assert DEFAULT.properties("kcl") == {}


def test_an_only_role_has_the_names_that_it_always_had() -> None:
    """Those of a chain follow, by their number."""
    assert Access(roles=(SPOKE,)).properties("source") == {
        "replica.source.roleArn": SPOKE.arn,
        "replica.source.externalId": "x-1",
    }
    assert Access("p", (HUB, SPOKE), "s-1").properties("source") == {
        "replica.source.profile": "p",
        "replica.source.roleArn": HUB.arn,
        "replica.source.roleArn.2": SPOKE.arn,
        "replica.source.externalId.2": "x-1",
        "replica.source.sessionName": "s-1",
    }


@pytest.mark.parametrize(
    ("access", "whose", "words"),
    [
        (DEFAULT, None, "the default chain"),
        (Access("p"), "p", "the profile p"),
        (Access("p", (HUB, SPOKE)), "222222222222", SPOKE.arn),
        (Access("p", (Role("odd"),)), "p", "odd"),
    ],
)
def test_whose_a_table_is_as_far_as_the_spelling_tells(
    access: Access, whose: str | None, words: str
) -> None:
    """The last role's account goes before the profile, by which one may come from anywhere."""
    assert (access.whose, str(access)) == (whose, words)


def test_a_chain_without_its_roles_is_who_assumes_the_first() -> None:
    """With its profile, if it has one."""
    assert Access("p", (HUB, SPOKE)).base == Access("p")


@pytest.mark.parametrize(
    ("name", "fits"),
    [("kcl-processor", True), ("a@b.c", True), ("a", False), ("a b", False), ("a" * 65, False)],
)
def test_a_sessions_name_is_one_that_sts_takes(name: str, *, fits: bool) -> None:
    """Two to 64 characters of its own set."""
    assert SESSION_NAME.fits(name) is fits

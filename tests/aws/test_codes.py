"""The table of error codes: each code has one meaning."""

from __future__ import annotations

from itertools import combinations

from kcl_processor.aws.codes import DENIED, NO_CREDENTIALS, RENEW, THROTTLED


def test_no_code_has_two_meanings() -> None:
    """What a code asks for (wait, a person, new credentials) does not depend on who looks first."""
    tables = (THROTTLED, DENIED, RENEW, {NO_CREDENTIALS})
    assert not [one & other for one, other in combinations(tables, 2) if one & other]

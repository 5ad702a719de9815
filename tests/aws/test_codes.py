"""The table of error codes: each code has one meaning."""

from __future__ import annotations

from itertools import combinations

from kcl_processor.aws.codes import (
    DENIED,
    NO_CREDENTIALS,
    RENEW,
    THROTTLED,
    code_of,
    passes,
    status_of,
)


def test_no_code_has_two_meanings() -> None:
    """What a code asks for (wait, a person, new credentials) does not depend on who looks first."""
    tables = (THROTTLED, DENIED, RENEW, {NO_CREDENTIALS})
    assert not [one & other for one, other in combinations(tables, 2) if one & other]


def test_an_answer_is_read_for_what_it_asks() -> None:
    """A busy or an ailing service passes, a refusal does not; an answer may lack every part."""
    busy = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    refused = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    assert passes(busy) and passes({"ResponseMetadata": {"HTTPStatusCode": 503}})
    assert not passes(refused) and (code_of(refused), status_of(refused)) == ("AccessDenied", 403)
    assert not passes({}) and (code_of({}), status_of({})) == ("", 0)

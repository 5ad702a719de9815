"""Errors for people."""

from __future__ import annotations

import pickle

from kcl_processor import errors
from kcl_processor.aws.credential_errors import NoKeys
from kcl_processor.errors import ExitCode, OperatorError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, OperatorError)
]


def test_every_kind_of_error_ends_with_a_code_of_its_own() -> None:
    """A supervisor, and whoever reads its log, tells them apart by it."""
    codes = {kind.exit_code: kind for kind in KINDS}
    assert len(codes) == len(KINDS) == 8
    assert ExitCode.OK not in codes and ExitCode.BUG not in codes


def test_an_error_says_what_failed_and_what_to_type() -> None:
    """As text it is what failed."""
    error = OperatorError("It failed.", "do that")
    assert (str(error), error.message, error.hint) == ("It failed.", "It failed.", "do that")


def test_an_error_is_the_same_in_another_process() -> None:
    """Kind, words and code: what ends a worker ends the command that it works for."""
    error = NoKeys("It failed.", "do that", 403, "Expired")
    error.exit_code = ExitCode.SOURCE
    told = pickle.loads(pickle.dumps(error))
    assert (type(told), told.message, told.hint) == (NoKeys, "It failed.", "do that")
    assert (told.status, told.code, told.exit_code) == (403, "Expired", ExitCode.SOURCE)

"""What the text of a setting may be."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from kcl_processor.config.form import shown, text, whole
from kcl_processor.config.task import ENDPOINT, REGION, STREAM_ARN


@pytest.mark.parametrize("text", ["1", "10", "07"])
def test_a_number_within_its_bounds_fits(text: str) -> None:
    """Both bounds are among them."""
    assert whole(1, 10).fits(text)


@pytest.mark.parametrize("text", ["", "0", "11", "-5", "1.5", "one", "1 ", "\uff11", "1" * 40])
def test_nothing_else_fits(text: str) -> None:
    """No sign, no fraction, no blank, no digit of another script, nothing without end."""
    assert not whole(1, 10).fits(text)


def test_the_words_name_the_bounds() -> None:
    """They end the sentence of an error."""
    assert whole(1, 10).words == "a whole number from 1 to 10"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "https://dynamodb.us-east-1.amazonaws.com",
        "http://[::1]:65535/path",
        "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com/",
    ],
)
def test_an_endpoint_is_a_url_that_can_be_called(url: str) -> None:
    """A port and a path are its own matter."""
    assert ENDPOINT.fits(url)


@pytest.mark.parametrize(
    "url",
    ["localhost:8801", "", "ftp://x", "http://", "http://[::1", "http://h:99999", "http://a b",
     "http://user:secret@h", "http://h:", "http://h?x"],
)  # fmt: skip
def test_what_the_sdk_would_stumble_over_is_no_endpoint(url: str) -> None:
    """At a call, with a traceback, in the middle of a start."""
    assert not ENDPOINT.fits(url)


def test_a_region_has_no_blank_and_an_arn_is_of_a_stream() -> None:
    """DynamoDB Local takes any name as a region."""
    assert REGION.fits("us-gov-west-1") and REGION.fits("local")
    assert not REGION.fits("us east 1") and not REGION.fits("")
    local = "arn:aws:dynamodb:ddblocal:000000000000:table/t/stream/2026-11-28T00:00:00.000"
    assert STREAM_ARN.fits(local)
    assert not STREAM_ARN.fits("foo") and not STREAM_ARN.fits(local.partition("/stream")[0])


def test_every_form_fits_its_own_example() -> None:
    """It is what a hint says to type."""
    for form in (ENDPOINT, REGION, STREAM_ARN):
        assert form.fits(form.example)


def test_a_password_in_a_url_is_not_repeated() -> None:
    """Neither by an error nor by what logs it."""
    with pytest.raises(ArgumentTypeError) as raised:
        text(ENDPOINT)("http://user:secret@h")
    assert "secret" not in str(raised.value) and "//…@h" in str(raised.value)
    assert shown("http://h/@") == "http://h/@"

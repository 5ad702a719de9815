"""An item as a person writes it down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.transform.item_text import image_from, read_item
from tests.transform.given import images
from tests.transform.test_values import sorted_sets

LONG = "1234567890.12345678901234567890123456789"


@given(images.filter(bool))
def test_dynamodbs_json_is_read_as_it_is(image: dict[str, Any]) -> None:
    """Of every type; and as `aws dynamodb get-item` prints it."""
    assert sorted_sets(read_item(json.dumps(image))) == sorted_sets(image)
    answer = json.dumps({"Item": image, "ConsumedCapacity": {"CapacityUnits": 0.5}})
    assert sorted_sets(read_item(answer)) == sorted_sets(image)


def test_plain_json_is_read_by_its_types() -> None:
    """Numbers to their last digit."""
    text = f'{{"pk": "a", "n": {LONG[:-1]}, "on": true, "no": null, "all": [1.50, {{"b": "c"}}]}}'
    assert read_item(text) == {
        "pk": {"S": "a"},
        "n": {"N": LONG[:-1]},
        "on": {"BOOL": True},
        "no": {"NULL": True},
        "all": {"L": [{"N": "1.5"}, {"M": {"b": {"S": "c"}}}]},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("[1]", "no JSON object"),
        ("{}", "no JSON object"),
        (f'{{"n": {LONG}9}}', "a number of more than 38 digits"),
        ('{"": 1}', "an attribute's name"),
        ('{"n": {"N": "many"}}', "the value of 'n' is not of the type that it says"),
        ('{"n": {"N": 1.5e300}}', "the value of 'n' is not of the type that it says"),
        ('{"b": {"B": "a"}}', "the value of 'b' is not of the type that it says"),
        ('{"s": {"SS": []}}', "the value of 's' is not of the type that it says"),
        ('{"s": {"L": [1]}}', "the value of 's' is not of the type that it says"),
        ('{"s": {"S": 7}}', "the value of 's' is not of the type that it says"),
    ],
)
def test_what_is_no_item_is_told(text: str, said: str) -> None:
    """By the attribute's name."""
    with pytest.raises(ValueError, match=said):
        read_item(text)


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.dictionaries(
            st.sampled_from(["S", "N", "L", "SS", "X"]),
            st.none() | st.integers() | st.lists(st.none()) | st.text(),
        ),
    )
)
def test_nothing_breaks_the_reader(typed: dict[str, Any]) -> None:
    """An item, or an error."""
    try:
        found = image_from(typed)
    except ValueError:
        return
    assert image_from(found) == found

"""This product's rows beside KCL's own are replaced only as they were read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from urllib.parse import urlsplit

from kcl_processor.fleet.own_rows import (
    Row,
    own_among,
    read_all_own,
    read_own,
    replace_own,
    touch_own,
)
from tests.edges import Edge, Reply, Request, serving
from tests.kcl_tables import fill, make_task

ONE, TWO = {"state": {"S": "one"}, "at": {"N": "1"}}, {"state": {"S": "two"}}


def test_a_row_is_made_replaced_and_removed_as_it_was_read(moto_url: str) -> None:
    """Whoever read something else is told so, and changes nothing."""
    task = make_task(moto_url)
    assert read_own(task, "Key") is None, "there is no table yet"
    assert read_all_own(task) == {}
    fill(task, [])
    assert read_own(task, "Key") is None
    assert replace_own(task, "Key", None, ONE)
    assert not replace_own(task, "Key", None, TWO), "somebody else made one"
    assert not replace_own(task, "Key", TWO, None)
    assert read_own(task, "Key") == ONE
    assert replace_own(task, "Key", ONE, TWO)
    assert read_own(task, "Key") == TWO and read_own(task, "Other") is None
    assert read_all_own(task) == {"Key": TWO}
    assert replace_own(task, "Key", TWO, None)
    assert read_own(task, "Key") is None


def test_an_attribute_comes_beside_what_a_row_holds(moto_url: str) -> None:
    """Of a row that is another by then nothing is changed, and none is made."""
    task = make_task(moto_url)
    fill(task, [])
    assert not touch_own(task, "Key", ONE, "beat", {"N": "2"})
    assert read_own(task, "Key") is None and replace_own(task, "Key", None, ONE)
    assert not touch_own(task, "Key", TWO, "beat", {"N": "2"})
    assert touch_own(task, "Key", {"state": ONE["state"]}, "beat", {"N": "2"})
    assert read_own(task, "Key") == {**ONE, "beat": {"N": "2"}}
    assert replace_own(task, "Key", ONE, TWO), "it is as it was read, but for that"


def test_a_number_that_comes_back_as_the_service_writes_it_is_the_same(moto_url: str) -> None:
    """DynamoDB answers 1700000000.0 with 1700000000; a copy of an export may begin at that time."""
    task = make_task(moto_url)
    fill(task, [])
    written: Row = {"at": {"N": "1700000000.0"}, "by": {"M": {"N": {"L": [{"N": "5e1"}]}}}}
    read: Row = {"at": {"N": "1700000000"}, "by": {"M": {"N": {"L": [{"N": "50"}]}}}}
    assert replace_own(task, "Key", None, read)
    assert replace_own(task, "Key", None, written), "the answer to its first attempt was lost"
    assert not replace_own(task, "Key", None, {**written, "at": {"N": "1700000000.5"}})
    assert not replace_own(task, "Key", None, {**written, "more": {"S": "1"}})
    assert not replace_own(task, "Key", None, {**written, "at": {"S": "1700000000"}})


def test_a_row_among_those_that_were_read_is_the_same() -> None:
    """Rows of KCL's own may have no such key."""
    rows = [
        {"leaseKey": {"S": "Key"}},
        {"key": {"S": "Other"}, **TWO},
        {"key": {"S": "Key"}, **ONE},
    ]
    assert own_among(rows, "Key") == ONE
    assert own_among(rows, "None") is None


def test_a_change_whose_answer_was_lost_is_ones_own(moto_url: str) -> None:
    """It is repeated, and its condition then fails: nobody else was there."""
    task = make_task(moto_url)
    fill(task, [])
    with losing_first_answers(moto_url, "PutItem", "DeleteItem") as edge:
        behind = replace(task, kcl=replace(task.kcl, endpoint=edge.url))
        assert replace_own(behind, "Key", None, ONE)
        assert len(edge.requests) == 3, "it was written, written again, and looked at"
        assert replace_own(behind, "Key", ONE, None)
        assert read_own(task, "Key") is None
        assert not replace_own(behind, "Key", TWO, ONE)


@contextmanager
def losing_first_answers(url: str, *operations: str) -> Iterator[Edge]:
    """A way to a service on which the first answer to each of some operations is lost."""
    to_lose = set(operations)

    def answer(request: Request) -> Reply:
        headers = {name: text for name, text in request.headers.items() if name != "Host"}
        far = HTTPConnection(urlsplit(url).netloc, timeout=10)
        far.request("POST", "/", request.body, headers)
        answered = far.getresponse()
        body = answered.read()
        far.close()
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        if operation in to_lose:
            to_lose.remove(operation)
            return Reply.of({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}, 500)
        return Reply(body, answered.status)

    with serving(answer) as edge:
        yield edge

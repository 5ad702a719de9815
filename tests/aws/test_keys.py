"""Credentials that follow their source."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials, RefreshableCredentials

from kcl_processor.aws.credential_errors import NoKeys
from kcl_processor.aws.keys import Keys
from tests.fakes import HandClock


class Source:
    """Gives a new key each time it is asked, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def __call__(self) -> Credentials:
        self.asked += 1
        if self.error:
            raise self.error
        return Credentials(f"KEY{self.asked}", "secret")


def key_id(keys: Keys) -> str:
    return str(keys.get_frozen_credentials().access_key)


def test_nothing_is_looked_up_before_it_is_needed_and_then_once() -> None:
    """A process may be made long before it signs."""
    source = Source()
    keys = Keys("test", source, HandClock())
    assert source.asked == 0
    assert [key_id(keys), keys.access_key, keys.secret_key, keys.token] == [
        *("KEY1", "KEY1", "secret", None)
    ]
    assert source.asked == 1


def test_a_file_that_is_written_anew_is_read_again(tmp_path: Path) -> None:
    """Nobody needs to restart what runs for months."""
    file, clock, source = tmp_path / "credentials", HandClock(), Source()
    file.write_text("old")
    keys = Keys("test", source, clock, (str(file),))
    assert key_id(keys) == "KEY1"
    file.write_text("newer")
    assert key_id(keys) == "KEY2"
    clock.turn(3600)
    assert key_id(keys) == "KEY2"


def test_a_file_that_is_replaced_is_read_again_whatever_its_time(tmp_path: Path) -> None:
    """A link is turned to another file, as Kubernetes does with its secrets."""
    file, source = tmp_path / "credentials", Source()
    keys = Keys("test", source, HandClock(), (str(file),))
    for name in ("one", "two"):
        (tmp_path / name).write_text("same")
        os.utime(tmp_path / name, (1, 1))
        (tmp_path / "next").symlink_to(tmp_path / name)
        (tmp_path / "next").rename(file)
        key_id(keys)
    assert source.asked == 2


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("KEY\n", "secret", None), "access key id"),
        (("KEY", " wJalr", None), "secret access key"),
        (("KEY", "secret", "to\x00ken"), "session token"),
    ],
)
def test_keys_that_no_header_can_hold_are_refused_unquoted(
    given: tuple[str, str, str | None], named: str
) -> None:
    """A secret made from a file keeps its last line break; sent, an error would show it."""
    keys = Keys("test", lambda: Credentials(*given), HandClock())
    with pytest.raises(NoKeys) as refused:
        keys.get_frozen_credentials()
    assert refused.value.message.startswith(f"The {named} of test holds a space")
    assert not any(part.strip() in refused.value.message for part in given if part)


def test_refused_keys_are_looked_up_again_but_not_for_every_request() -> None:
    """Requests that were under way with the old keys do not ask again for the new ones."""
    clock, source = HandClock(), Source()
    keys = Keys("test", source, clock)
    key_id(keys)
    clock.turn(60)
    keys.refused()
    assert key_id(keys) == "KEY2"
    keys.refused()
    assert key_id(keys) == "KEY2"
    clock.turn(60)
    assert key_id(keys) == "KEY3"


def test_what_is_held_serves_while_its_source_fails(caplog: pytest.LogCaptureFixture) -> None:
    """A file that is being written, or a service that is away, ends nothing; it is told once."""
    clock, source = HandClock(), Source()
    keys = Keys("test", source, clock)
    key_id(keys)
    source.error = OSError("half written")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.turn(60)
            keys.refused()
            assert key_id(keys) == "KEY1"
    assert len(caplog.records) == 1 and "half written" in caplog.text
    source.error = None
    clock.turn(60)
    assert key_id(keys) == "KEY5"


def test_a_source_that_fails_is_not_asked_by_every_thread() -> None:
    """Each look may take seconds: one failure answers all who wait, for a while."""
    clock, source = HandClock(), Source()
    source.error = OSError("away")
    keys = Keys("test", source, clock)
    for _ in range(10):
        with pytest.raises(NoKeys, match="away"):
            key_id(keys)
    assert source.asked == 1
    source.error = None
    clock.turn(60)
    assert key_id(keys) == "KEY2"


def test_nobody_waits_for_a_renewal_while_the_old_keys_are_good() -> None:
    """The role's service may hang for half a minute, fifteen minutes before the keys expire."""
    entered, leave = threading.Event(), threading.Event()

    def renew() -> dict[str, Any]:
        entered.set()
        assert leave.wait(10)
        return told("NEW", minutes=60)

    keys = Keys("test", lambda: expiring("OLD", renew, minutes=30), HandClock())
    assert key_id(keys) == "OLD"
    keys._found._expiry_time = in_minutes(11)  # type: ignore[union-attr]
    first = threading.Thread(target=key_id, args=(keys,))
    first.start()
    assert entered.wait(10)
    assert key_id(keys) == "OLD"
    leave.set()
    first.join()
    assert key_id(keys) == "NEW"


@pytest.mark.parametrize("minutes", [5, -1])
def test_keys_that_cannot_be_renewed_serve_until_they_expire(minutes: int) -> None:
    """botocore gives up ten minutes earlier."""

    def renew() -> dict[str, Any]:
        raise OSError("away")

    keys = Keys("test", lambda: expiring("OLD", renew, minutes=30), HandClock())
    key_id(keys)
    keys._found._expiry_time = in_minutes(minutes)  # type: ignore[union-attr]
    if minutes > 0:
        assert key_id(keys) == "OLD"
    else:
        with pytest.raises(NoKeys, match="away"):
            key_id(keys)


def in_minutes(minutes: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)


def told(key: str, minutes: int) -> dict[str, Any]:
    expires = in_minutes(minutes).isoformat()
    return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": expires}


def expiring(key: str, renew: Any, minutes: int) -> RefreshableCredentials:
    return RefreshableCredentials(key, "s", "t", in_minutes(minutes), renew, "test")

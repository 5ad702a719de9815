"""Credentials that follow their source.

botocore looks credentials up once and keeps them: a shared file that is written anew, or keys of a
``credential_process`` that expire without saying when, would end a process that runs for months.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from botocore.credentials import Credentials, ReadOnlyCredentials

from kcl_processor.aws.credential_errors import NoKeys, in_words
from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)
# botocore shows each failed renewal with its stack; here it is told once, in an operator's words.
logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
logging.getLogger("botocore.tokens").setLevel(logging.ERROR)

# Seconds between two looks for credentials, however many requests ask: a look may be a call of
# STS, or a program of the operator's.
_PAUSE = 5.0

_Stamp = tuple[int, int, int] | None


class Keys(Credentials):  # type: ignore[misc]
    """Credentials that are looked up on first use, and again when that may bring others.

    Safe to use from many threads at once. While one of them looks, the others go on with what is
    held, unless it has expired; and so do all of them when a look finds nothing.

    Args:
        whose: the source or the role, for errors.
        find: looks for credentials.
        files: those that ``find`` may read; it is called again when one of them changes.
    """

    method = "kcl-processor"

    def __init__(
        self,
        whose: str,
        find: Callable[[], Credentials],
        clock: Clock,
        files: tuple[str, ...] = (),
    ) -> None:
        self._whose = whose
        self._find = find
        self._clock = clock
        self._files = files
        self._looking = threading.Lock()
        self._found: Credentials | None = None
        self._frozen: ReadOnlyCredentials | None = None
        self._stamps: list[_Stamp] = []
        self._looked_at = float("-inf")
        self._is_refused = False
        self._failure: NoKeys | None = None
        self._told = ""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys to sign one request with.

        Raises:
            NoKeys: there are none, or they have expired and cannot be renewed.
        """
        if not self._looking.acquire(blocking=not self._is_usable()):
            return self._frozen
        try:
            self._frozen = self._renewed()
        except NoKeys as error:
            if not self._is_usable():
                raise
            self._tell(error)
        finally:
            self._looking.release()
        return self._frozen

    def refused(self) -> None:
        """AWS refused these keys: the next request looks for others."""
        self._is_refused = True

    @property
    def access_key(self) -> str:
        """The key's public half; :meth:`get_frozen_credentials` gives both at one moment."""
        return str(self.get_frozen_credentials().access_key)

    @property
    def secret_key(self) -> str:
        """The key's secret half."""
        return str(self.get_frozen_credentials().secret_key)

    @property
    def token(self) -> str | None:
        """The session's token, if the keys are a session's."""
        token: str | None = self.get_frozen_credentials().token
        return token

    @property
    def account_id(self) -> str | None:
        """The account, if the source tells it."""
        account: str | None = self.get_frozen_credentials().account_id
        return account

    def _is_usable(self) -> bool:
        is_older_than = getattr(self._found, "refresh_needed", None)
        return self._frozen is not None and not (is_older_than and is_older_than(0))

    def _renewed(self) -> ReadOnlyCredentials:
        stamps = [_stamp(file) for file in self._files]
        rests = self._clock.elapsed() - self._looked_at < _PAUSE and stamps == self._stamps
        if rests and self._failure:
            raise self._failure
        try:
            found = self._found
            if found is None or (not rests and self._is_due(stamps)):
                found = self._look(stamps)
            frozen = found.get_frozen_credentials()
            _refuse_unsendable(frozen, self._whose)
        except NoKeys as error:
            self._failed(error)
            raise
        except Exception as error:
            # Whatever a provider, a parser or an operator's program may raise.
            self._failed(failure := in_words(error, self._whose))
            raise failure from error
        self._failure, self._told = None, ""
        return frozen

    def _failed(self, failure: NoKeys) -> None:
        self._failure, self._looked_at = failure, self._clock.elapsed()

    def _is_due(self, stamps: list[_Stamp]) -> bool:
        return self._is_refused or self._failure is not None or stamps != self._stamps

    def _look(self, stamps: list[_Stamp]) -> Credentials:
        self._looked_at, self._stamps, self._is_refused = self._clock.elapsed(), stamps, False
        found = self._find()
        found.get_frozen_credentials()
        self._found = found
        return found

    def _tell(self, error: NoKeys) -> None:
        if error.message != self._told:
            _log.warning("%s The keys held are used as long as they last.", error.message)
        self._told = error.message


def _refuse_unsendable(keys: ReadOnlyCredentials, whose: str) -> None:
    """What cannot stand in a header would fail with an error that quotes it, the token whole."""
    named = {
        "access key id": keys.access_key,
        "secret access key": keys.secret_key,
        "session token": keys.token,
    }
    for what, value in named.items():
        if value and any(char.isspace() or not char.isprintable() for char in value):
            raise NoKeys(
                f"The {what} of {whose} holds a space, a line break or a control character.",
                "write it anew, without a line break at its end",
            )


def _stamp(file: str) -> _Stamp:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

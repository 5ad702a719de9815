"""A rule in Python: a function of a change, found by its name."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from kcl_processor.errors import ConfigError

# ``module:function``.
FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class ItemChange:
    """What a rule in Python is given; items as boto3's tables give them.

    Attributes:
        keys: the source's key.
        new: the item after the other rules; ``None`` if it was deleted.
        old: the item before the change, after the other rules; ``None`` if there was none that they
            let through, and where a table is read, not a stream.
        event: ``INSERT``, ``MODIFY`` or ``REMOVE``; ``None`` where a table is read.
        expired: whether DynamoDB's time to live deleted it.
        sequence_number: of the stream's record; ``None`` where a table is read.
        created: seconds since the epoch; ``None`` where a table is read.
    """

    keys: Mapping[str, Any]
    new: Mapping[str, Any] | None
    old: Mapping[str, Any] | None = None
    event: str | None = None
    expired: bool = False
    sequence_number: str | None = None
    created: float | None = None


Function = Callable[[ItemChange], "Mapping[str, Any] | None"]


def find(name: str) -> Function:
    """The function of ``module:function``.

    Raises:
        ConfigError: it cannot be imported, or is no function; says where Python looked.
    """
    return _found(name)[0]


def source_of(name: str) -> bytes:
    """The text of the module that a function is in, and of the one that it comes from where that
    is another, by which a change of it is noticed.

    It is that of the first :func:`find`, which is what runs.

    Raises:
        ConfigError: as :func:`find`.
    """
    return _found(name)[1]


@cache
def _found(name: str) -> tuple[Function, bytes]:
    if not FORM.fullmatch(name):
        raise ConfigError(
            f"transform.python: {name!r} is not of the form module:function.",
            "transform.python: mypackage.rules:flatten",
        )
    module_name, _, path = name.partition(":")
    module = _imported(module_name)
    try:
        function = attrgetter(path)(module)
    except AttributeError:
        function = None
    if not callable(function):
        raise ConfigError(
            f"transform.python: the module {module_name!r} has no function {path!r}.",
            f"def {path}(change): … in {getattr(module, '__file__', None) or module_name}",
        )
    return function, _text_of(module) + _text_of_home(function, module)


def _imported(name: str) -> ModuleType:
    try:
        # What it prints is no part of a command's result.
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        # A module may do anything while it is imported.
        raise ConfigError(
            f"transform.python: the module {name!r} cannot be imported: {type(error).__name__}: "
            f"{error}. It is looked for on Python's path.",
            f"install the package that has it for {sys.executable}, or set PYTHONPATH to the "
            "folder that it lies in",
        ) from error


def _text_of_home(function: Function, module: ModuleType) -> bytes:
    """Of the module that has a function which another hands on, as a package does its parts'."""
    home = sys.modules.get(getattr(function, "__module__", None) or "", module)
    return b"" if home is module else _text_of(home)


def _text_of(module: ModuleType) -> bytes:
    """Of a module, or a package's ``__init__``; nothing of one that Python has built in."""
    file = inspect.getsourcefile(module) if getattr(module, "__file__", None) else None
    return Path(file).read_bytes() if file else b""

"""Hints that can be typed as they are, whatever file and folder this command was given."""

from __future__ import annotations

import argparse
import re
import shlex

from kcl_processor.cli.task import default_file

_COMMAND = re.compile(r"kcl-processor ([a-z]+)\b")
# Commands that keep nothing on this host, and the one that has no tasks' file either.
WITHOUT_STATE = frozenset({"dashboard", "demo", "iam", "prepare", "size"})
WITHOUT_TASKS = frozenset({"demo"})


def as_called(text: str, args: argparse.Namespace) -> str:
    """Each command in a text, with the ``-c`` and the ``--state-dir`` that this one was given.

    Those that come from the environment are there for the next command, too.
    """
    file = getattr(args, "config", None)
    state = getattr(args, "state_dir", None)

    def repeated(command: re.Match[str]) -> str:
        words = [command[0]]
        if file and file != default_file() and command[1] not in WITHOUT_TASKS:
            words += ["-c", shlex.quote(str(file))]
        if state and command[1] not in WITHOUT_STATE:
            words += ["--state-dir", shlex.quote(str(state))]
        return " ".join(words)

    return _COMMAND.sub(repeated, text)

"""Hints that can be typed as they are, whatever file, folder and options this command was given.

Errors and checks speak of commands and tasks; where a task's file lies is known here alone.
"""

from __future__ import annotations

import argparse
import re
import shlex

from kcl_processor.cli.task import default_file
from kcl_processor.config.original_flags import given_flags

_COMMAND = re.compile(r"kcl-processor ([a-z]+)\b")
# Commands that keep nothing on this host, and the one that has no tasks' file either.
WITHOUT_STATE = frozenset({"dashboard", "demo", "iam", "prepare", "size"})
WITHOUT_TASKS = frozenset({"demo"})


def as_called(text: str, args: argparse.Namespace) -> str:
    """Each command in a text, with the ``-c`` and the ``--state-dir`` that this one was given.

    Those that come from the environment are there for the next command, too. A task that was given
    as flags has no file yet, and the text says so.
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

    hint = _COMMAND.sub(repeated, text)
    if hasattr(args, "sourceTable") and given_flags(args) and _COMMAND.search(text):
        hint += (
            "\nThis task is flags: write it to a YAML file first, and give each command -c FILE."
        )
    return hint


def again(args: argparse.Namespace, *without: str) -> str:
    """This command as it was typed, but for some of its options, which take no value."""
    return shlex.join(["kcl-processor", *(word for word in args.words if word not in without)])

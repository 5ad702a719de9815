"""Hints that can be typed as they are, whatever file, folder and options this command was given.

Errors and checks speak of commands and tasks; where a task's file lies is known here alone.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shlex

from kcl_processor.cli.task import default_file
from kcl_processor.config.original_flags import given_flags

# Not a path that ends in the product's name.
_COMMAND = re.compile(r"(?<![\w/])kcl-processor ([a-z]+)\b")
# Commands that keep nothing on this host, and the one that has no tasks' file either.
WITHOUT_STATE = frozenset({"dashboard", "demo", "iam", "prepare", "size"})
WITHOUT_TASKS = frozenset({"demo"})
# What bounds this command bounds the same one that it advises.
_BOUNDS = frozenset({"--max-rcu", "--max-wcu", "--part", "--workerId"})


def as_called(text: str, args: argparse.Namespace) -> str:
    """Each command in a text, with the ``-c`` and the ``--state-dir`` that this one was given; the
    same command, with its limits, part and worker, too.

    Those that come from the environment are there for the next command, too. A task that was given
    as flags has no file yet, and the text says so.
    """
    file = getattr(args, "config", None)
    state = getattr(args, "state_dir", None)
    called = getattr(args, "words", [])

    def repeated(command: re.Match[str]) -> str:
        words = [command[0]]
        if file and file != default_file() and command[1] not in WITHOUT_TASKS:
            words += ["-c", shlex.quote(str(file))]
        if state and command[1] not in WITHOUT_STATE:
            words += ["--state-dir", shlex.quote(str(state))]
        if [command[1]] == called[:1]:
            words += map(shlex.quote, _parted(called, _BOUNDS)[0])
        return " ".join(words)

    hint = _COMMAND.sub(repeated, text)
    if hasattr(args, "sourceTable") and given_flags(args) and _COMMAND.search(text):
        hint += (
            "\nThis task is flags: write it to a YAML file first, and give each command -c FILE."
        )
    return hint


def again(args: argparse.Namespace, *without: str, values: frozenset[str] = frozenset()) -> str:
    """This command as it was typed, but for some of its options.

    Args:
        without: options that take no value.
        values: options that take one.
    """
    _, left = _parted(args.words, values)
    return shlex.join(["kcl-processor", *(word for word in left if word not in without)])


def _parted(words: list[str], options: frozenset[str]) -> tuple[list[str], list[str]]:
    """Some options of a command line, with their values in either way of giving them; the rest."""
    found: list[str] = []
    left: list[str] = []
    for before, word in itertools.pairwise(["", *words]):
        chosen = before in options or word.partition("=")[0] in options
        (found if chosen else left).append(word)
    return found, left

"""Hints that can be typed as they are, whatever file, folder and options this command was given.

Errors and checks speak of commands and tasks; where a task's file lies is known here alone.
"""

from __future__ import annotations

import argparse
import re
import shlex

from kcl_processor.cli.task import default_file
from kcl_processor.config.original_flags import given_flags

# Not a path that ends in the product's name.
_COMMAND = re.compile(r"(?<![\w/])kcl-processor ([a-z]+)\b")
# Commands that keep nothing on this host, and the one that has no tasks' file either.
WITHOUT_STATE = frozenset({"dashboard", "demo", "iam", "prepare", "size"})
WITHOUT_TASKS = frozenset({"demo"})
# Those that are of all tasks of their file.
WITHOUT_TASK = frozenset({"demo", "exporter", "render"})
# What bounds this command bounds the same one that it advises.
_BOUNDS = frozenset({"--max-rcu", "--max-wcu", "--part", "--workerId"})


def as_called(text: str, args: argparse.Namespace) -> str:
    """Each command in a text, with the ``-c`` and the ``--state-dir`` that this one was given, and
    its task, if the text names none; the same command, with its limits, part and worker, too.

    Those that come from the environment are there for the next command, too. A task that was given
    as flags has no file yet, and the text says so.
    """
    file = getattr(args, "config", None)
    state = getattr(args, "state_dir", None)
    called = getattr(args, "words", [])
    task = getattr(args, "task", None)
    advice = text.rpartition("Try: ")[2]
    unnamed = (
        [task] if task and not re.search(rf"(?<!\S){re.escape(task)}(?![\w.-])", advice) else []
    )

    def repeated(command: re.Match[str]) -> str:
        words = [command[0]]
        if file and file != default_file() and command[1] not in WITHOUT_TASKS:
            words += ["-c", shlex.quote(str(file))]
        if state and command[1] not in WITHOUT_STATE:
            words += ["--state-dir", shlex.quote(str(state))]
        if [command[1]] == called[:1]:
            words += map(shlex.quote, _valued(called, _BOUNDS))
        if command[1] not in WITHOUT_TASK:
            words += unnamed
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
    left = [word for word in args.words if word not in without]
    for option in _valued(left, values):
        left.remove(option)
    return shlex.join(["kcl-processor", *left])


def _valued(words: list[str], options: frozenset[str]) -> list[str]:
    """Some options of a command line, with their values, in either way of giving them."""
    found = []
    for word, value in zip(words, [*words[1:], ""], strict=True):
        if word in options:
            found += [word, value]
        elif word.partition("=")[0] in options:
            found.append(word)
    return found

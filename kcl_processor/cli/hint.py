"""Hints that can be typed as they are, whatever file, folder and options this command was given.

Errors and checks speak of commands and tasks; where a task's file lies is known here alone.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
from collections.abc import Iterator

from kcl_processor.cli.task import default_file
from kcl_processor.config.original_flags import given_flags

# Not a path that ends in the product's name.
_COMMAND = re.compile(r"(?<![\w/])kcl-processor ([a-z]+)\b")
# Commands that keep nothing on this host, and those that have no tasks' file either.
WITHOUT_STATE = frozenset(
    {
        *("completion", "dashboard", "demo", "iam", "limit", "man", "pause", "prepare", "resume"),
        *("size", "transform"),
    }
)
WITHOUT_TASKS = frozenset({"completion", "demo", "man"})
# Those that are of all tasks of their file.
WITHOUT_TASK = WITHOUT_TASKS | {"exporter", "render"}
# What bounds this command bounds the same one that it advises.
_BOUNDS = frozenset({"--max-rcu", "--max-wcu", "--part", "--workerId"})


def as_called(text: str, args: argparse.Namespace) -> str:
    """Each command in a text, with the ``-c`` and the ``--state-dir`` that this one was given, and
    its task, if the text names none; the same command, with its limits, part and worker, too.

    Those that come from the environment are there for the next command, too. A task that was given
    as flags has no file yet, and the text says so.
    """
    advice = text.rpartition("Try: ")[2]
    hint = _COMMAND.sub(
        lambda command: " ".join([command[0], *_given(command[1], advice, args)]), text
    )
    if hasattr(args, "sourceTable") and given_flags(args) and _COMMAND.search(text):
        hint += (
            "\nThis task is flags: write it to a YAML file first, and give each command -c FILE."
        )
    return hint


def _given(command: str, advice: str, args: argparse.Namespace) -> Iterator[str]:
    """The words to stand behind a command, but for those that the advice has already."""
    file, state, task = (getattr(args, name, None) for name in ("config", "state_dir", "task"))
    called = getattr(args, "words", [])
    # A command that is repeated as it was typed has them.
    has = frozenset(word.partition("=")[0] for word in advice.split())
    is_elsewhere = file and file != default_file() and command not in WITHOUT_TASKS
    if is_elsewhere and not has & {"-c", "--config"}:
        yield from ("-c", shlex.quote(str(file)))
    if state and command not in WITHOUT_STATE and "--state-dir" not in has:
        yield from ("--state-dir", shlex.quote(str(state)))
    if called[:1] == [command]:
        yield from map(shlex.quote, _parted(called, _BOUNDS - has)[0])
    if task and command not in WITHOUT_TASK:
        is_named = re.search(rf"(?<!\S){re.escape(task)}(?![\w.-])", advice)
        yield from () if is_named else (task,)


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

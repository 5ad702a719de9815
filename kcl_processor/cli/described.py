"""The commands and their flags as plain records, for what is made of the parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """An option of a command.

    Attributes:
        takes: whether a value follows it.
        choices: what the value may be, if that is a list.
    """

    names: tuple[str, ...]
    help: str
    takes: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """The product, a command of it, or an action of one.

    Attributes:
        path: its words behind the product's name.
        text: its whole help.
        words: what an argument without a flag may be, if that is a list.
    """

    path: tuple[str, ...]
    help: str
    text: str
    flags: tuple[Flag, ...]
    commands: tuple[Command, ...]
    words: tuple[str, ...] = ()

    def every(self) -> Iterator[Command]:
        """This one, and all below it."""
        yield self
        for command in self.commands:
            yield from command.every()


def describe(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = (), listed: str = ""
) -> Command:
    """What a parser takes.

    Args:
        listed: its help in the list of its siblings.
    """
    flags, commands, words = list[Flag](), list[Command](), list[str]()
    # argparse tells its arguments to nobody.
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            helps = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001
            commands += [
                describe(below, (*path, name), helps[name])
                for name, below in action.choices.items()
            ]
        elif action.option_strings and action.help != argparse.SUPPRESS:
            flags.append(_flag(action))
        else:
            words += map(str, action.choices or ())
    text = parser.format_help()
    return Command(path, listed, text, tuple(flags), tuple(commands), tuple(words))


def _flag(action: argparse.Action) -> Flag:
    text = (action.help or "") % {"prog": "kcl-processor", "default": action.default}
    takes = action.nargs != 0
    choices = tuple(map(str, action.choices or ())) if takes else ()
    return Flag(tuple(action.option_strings), text, takes, choices)

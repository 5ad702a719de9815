"""Print what makes a shell complete commands, flags and their values: bash, zsh or fish.

examples:
  kcl-processor completion bash > /etc/bash_completion.d/kcl-processor
  kcl-processor completion zsh > ~/.zfunc/_kcl-processor
  kcl-processor completion fish > ~/.config/fish/completions/kcl-processor.fish
"""

from __future__ import annotations

import argparse
import itertools
import shlex
from collections.abc import Callable, Iterator

from kcl_processor.cli.described import Command, describe
from kcl_processor.errors import ExitCode

HELP = "print completion for a shell"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=list(SHELLS), help="bash, zsh or fish")


def run(args: argparse.Namespace) -> int:
    print("\n".join(SHELLS[args.shell](describe(args.product()))))
    return ExitCode.OK


def _bash(product: Command) -> Iterator[str]:
    """A case a command; where a value follows, its choices or the shell's own files."""
    yield from (
        "_kcl_processor() {",
        "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= values=",
        '  local path="${COMP_WORDS[1]} ${COMP_WORDS[2]} "',
        '  [ "$COMP_CWORD" -le 1 ] && path=" "',
        '  [ "$COMP_CWORD" -eq 2 ] && path="${COMP_WORDS[1]} "',
        '  case "$path" in',
    )
    for pattern, command in _cases(product):
        offered = itertools.chain(_words(command), _flags(command))
        words = shlex.quote(" ".join(word for word, _ in offered))
        values = " ".join(
            f"{names}) values={shlex.quote(choices)};;" for names, choices in _choices(command)
        )
        plain = [
            name for flag in command.flags if flag.takes and not flag.choices for name in flag.names
        ]
        files = f"{'|'.join(plain)}) words=; return;; " if plain else ""
        yield f"    {pattern}) words={words}"
        yield f'      case "$prev" in {files}{values} esac;;' if files or values else "      ;;"
    yield from (
        "  esac",
        '  COMPREPLY=($(compgen -W "${values:-$words}" -- "$cur"))',
        "}",
        "complete -o default -F _kcl_processor kcl-processor",
    )


def _zsh(product: Command) -> Iterator[str]:
    """What may follow, each with its help."""
    yield from (
        "#compdef kcl-processor",
        "_kcl_processor() {",
        "  local -a words_of flags_of",
        '  local path_of="${words[2]} ${words[3]} "',
        '  (( CURRENT <= 2 )) && path_of=" "',
        '  (( CURRENT == 3 )) && path_of="${words[2]} "',
        '  case "$path_of" in',
    )
    for pattern, command in _cases(product):
        values = " ".join(
            f"{names}) compadd -- {choices}; return;;" for names, choices in _choices(command)
        )
        yield f"    {pattern})"
        yield f"      words_of=({_pairs(_words(command))})"
        yield f"      flags_of=({_pairs(_flags(command))})"
        yield f'      case "${{words[CURRENT-1]}}" in {values} esac;;' if values else "      ;;"
    yield from (
        "  esac",
        "  (( $#words_of )) && _describe command words_of",
        "  [[ $PREFIX == -* ]] && _describe -o flag flags_of || _files",
        "}",
        'if [ "$funcstack[1]" = _kcl-processor ]; then _kcl_processor',
        "else compdef _kcl_processor kcl-processor; fi",
    )


def _fish(product: Command) -> Iterator[str]:
    """A line a word, on the condition of the words before it."""
    for command in product.every():
        if not command.path:
            where = "__fish_use_subcommand"
        else:
            names = " ".join(one.path[-1] for one in command.commands)
            seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.path)
            where = f"{seen}; and not __fish_seen_subcommand_from {names}" if names else seen
        begin = f"complete -c kcl-processor -n {shlex.quote(where)}"
        for one in command.commands:
            yield f"{begin} -f -a {one.path[-1]} -d {shlex.quote(one.help)}"
        if command.words:
            yield f"{begin} -f -a {shlex.quote(' '.join(command.words))}"
        for flag in command.flags:
            named = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in flag.names
            )
            values = f" -x -a {shlex.quote(' '.join(flag.choices))}" if flag.choices else " -r"
            yield f"{begin} {named}{values if flag.takes else ''} -d {shlex.quote(flag.help)}"


def _cases(product: Command) -> Iterator[tuple[str, Command]]:
    """Each command behind a pattern of its words; the more words, the sooner it is looked at."""
    for command in sorted(product.every(), key=lambda one: -len(one.path)):
        yield f'"{" ".join(command.path)} "*' if command.path else "*", command


def _words(command: Command) -> Iterator[tuple[str, str]]:
    """Those without a dash, each with its help."""
    yield from ((one.path[-1], one.help) for one in command.commands)
    yield from ((word, "") for word in command.words)


def _flags(command: Command) -> Iterator[tuple[str, str]]:
    """Each in each of its ways, with its help."""
    yield from ((name, flag.help) for flag in command.flags for name in flag.names)


def _choices(command: Command) -> Iterator[tuple[str, str]]:
    """A pattern of each flag that takes one of a few values, and these."""
    yield from (
        ("|".join(flag.names), " ".join(flag.choices)) for flag in command.flags if flag.choices
    )


def _pairs(pairs: Iterator[tuple[str, str]]) -> str:
    """For ``_describe``, to which a colon ends the word."""
    return " ".join(
        shlex.quote(f"{word}:{text}".replace(":", "\\:").replace("\\:", ":", 1))
        for word, text in pairs
    )


SHELLS: dict[str, Callable[[Command], Iterator[str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}

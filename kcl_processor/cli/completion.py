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
    for command in sorted(product.every(), key=lambda one: -len(one.path)):
        words = shlex.quote(" ".join(_words(command)))
        pattern = f'"{" ".join(command.path)} "*' if command.path else "*"
        valued = [flag for flag in command.flags if flag.choices]
        values = " ".join(
            f"{'|'.join(flag.names)}) values={shlex.quote(' '.join(flag.choices))};;"
            for flag in valued
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
    for command in sorted(product.every(), key=lambda one: -len(one.path)):
        pattern = f'"{" ".join(command.path)} "*' if command.path else "*"
        yield f"    {pattern})"
        commands = ((one.path[-1], one.help) for one in command.commands)
        pairs = itertools.chain(commands, ((word, "") for word in command.words))
        yield f"      words_of=({_pairs(pairs)})"
        flags = ((name, flag.help) for flag in command.flags for name in flag.names)
        yield f"      flags_of=({_pairs(flags)});;"
    yield from (
        "  esac",
        '  case "${words[CURRENT-1]}" in',
        *(
            f"    {'|'.join(names)}) compadd -- {' '.join(choices)}; return;;"
            for names, choices in _choices(product)
        ),
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


def _words(command: Command) -> Iterator[str]:
    yield from (one.path[-1] for one in command.commands)
    yield from command.words
    yield from (name for flag in command.flags for name in flag.names)


def _pairs(pairs: Iterator[tuple[str, str]]) -> str:
    """For ``_describe``, to which a colon ends the word."""
    return " ".join(
        shlex.quote(f"{word}:{text}".replace(":", "\\:").replace("\\:", ":", 1))
        for word, text in pairs
    )


def _choices(product: Command) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Flags with the values that they take, each once."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for command in product.every():
        found.update({flag.names: flag.choices for flag in command.flags if flag.choices})
    yield from found.items()


SHELLS: dict[str, Callable[[Command], Iterator[str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}

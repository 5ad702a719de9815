"""One command a module: its arguments, the call that does the work, what is printed.

This file parses, dispatches, and turns errors into words and exit codes. Nothing in this room knows
how a thing is done: a command's work lies in the rooms below. ``run`` is where a daemon starts.
"""

from __future__ import annotations

import importlib
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from kcl_processor import __version__
from kcl_processor.cli.hint import as_called
from kcl_processor.cli.parser import Parser
from kcl_processor.cli.streams import leave_streams, settle_streams
from kcl_processor.errors import ExitCode, OperatorError, is_full

# In the order an operator meets them. Each is a module of this package with ``HELP`` (one line),
# ``add_arguments(parser)`` and ``run(args) -> int``; its docstring is the text of its ``--help``.
COMMANDS = (
    "doctor",
    "transform",
    "prepare",
    "copy",
    "verify",
    "heal",
    "start",
    "run",
    "render",
    "status",
    "health",
    "leases",
    "events",
    "pause",
    "resume",
    "limit",
    "replay",
    "switchover",
    "iam",
    "dashboard",
    "exporter",
    "size",
    "uninstall",
    "demo",
    "completion",
    "man",
)

# As of a process that SIGPIPE has ended.
_UNREAD = 128 + signal.SIGPIPE

_EXIT_CODES = """\
exit codes:
  0   done, and all is well
  1   tables differ, a check failed, or the daemon crashed and is to be restarted
  2   the command line or the configuration is wrong, and nothing was touched; or a daemon of this
      worker id was there first
  3   not running                 4   state unknown
  5   permission denied           6   the source cannot be read
  7   the destination cannot be written
  8   the destination never accepts an item (poison)
  9   changes left the stream unread (gap)
  10  a writer went on at the source of a switchover; everything is as it was
  70  an error of ours; please report it
  141 whoever read the output is gone; what the command came to is not known
"""


def build_parser(commands: Sequence[str] = COMMANDS) -> Parser:
    """The parser of these commands."""
    parser = Parser(
        prog="kcl-processor",
        description="Keeps a DynamoDB table the same as another, one way, through KCL 3.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in commands:
        module = importlib.import_module(f"kcl_processor.cli.{name}")
        command = parsers.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    settle_streams()
    words = sys.argv[1:] if arguments is None else arguments
    code = _told(lambda: _run(words))
    # Behind us a disk that is full, or a reader that has gone, would have the last word.
    unwritten = _told(sys.stdout.flush)
    leave_streams()
    sys.exit(code or unwritten)


def _run(words: list[str]) -> int:
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    # To import the others takes longer than many a command does.
    known = [name for name in COMMANDS if name in words[:1]] or COMMANDS
    try:
        args = build_parser(known).parse_args(with_action(words))
    except SystemExit as printed:
        return int(printed.code or ExitCode.OK)
    args.words, args.product = words, build_parser
    try:
        return int(args.run(args))
    except OperatorError as error:
        print(as_called(f"Error: {error.message}\nTry: {error.hint}", args), file=sys.stderr)
        return error.exit_code


def _told(act: Callable[[], int | None]) -> int:
    """The exit code of what is done; what it raises is told."""
    try:
        return act() or ExitCode.OK
    except BrokenPipeError:
        # The reader of our output has gone (``| head``, a journal that broke), and what the command
        # came to is not known: 0 would say that tables are equal, or a switchover is certified.
        return _UNREAD
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> ExitCode:
    """Tell what is an error of ours; but a disk that is full, under a file or stdout, is none."""
    if isinstance(error, OSError) and is_full(error):
        # Of a file that is open already, stdout among them, no name is known.
        told = ": ".join(filter(None, (error.filename, error.strerror)))
        print(f"Error: {told}.\nTry: df -h", file=sys.stderr)
        return ExitCode.CRASH
    traceback.print_exc()
    return ExitCode.BUG


def with_action(words: list[str]) -> list[str]:
    """The command line with the action of ``leases`` right behind it, wherever it stood.

    Without one it is the first of them. A task that is called like an action needs one before it.
    """
    if words[:1] != ["leases"] or words[1:2] in (["-h"], ["--help"]):
        return words
    # It takes a quarter of a second, which is the other commands' as well if it stands above.
    from kcl_processor.cli import leases

    rest = words[1:]
    for at, word in enumerate(rest):
        if word in leases.ACTIONS and (at == 0 or rest[at - 1] not in leases.WITH_VALUES):
            return ["leases", word, *rest[:at], *rest[at + 1 :]]
    return ["leases", next(iter(leases.ACTIONS)), *rest]

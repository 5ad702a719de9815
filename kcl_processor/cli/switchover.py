"""Move writers from the source to the destination, with nothing lost, and prove it.

In steps, each told on stderr; up to the question nothing is changed, and --yes answers it. Where
nobody can be asked it ends there, as a rehearsal:

  1  checks: the daemon runs and keeps up; no open gap, dead letter or unfinished copy
  2  a whole comparison beside the writers: what differs now would differ later
  3  the question. Stop the writers first, or let --freeze deny writes at the source
  4  waiting, for up to --wait: the stream is quiet, and every shard is applied to its end
  5  a whole comparison with strongly consistent scans: nothing may differ
  6  a last look that nobody wrote meanwhile; then the daemon is paused, and the certificate is
     made: on stdout, in the state directory and beside the checkpoints

If a writer goes on, it ends with code 10; whatever ends it early, all that was changed is taken
back. After a kill, the same command goes on, and --back takes back. After its end it prints the
certificate again and looks whether somebody wrote since; the task's daemon is then not started any
more, for what comes from the source would be laid over what the writers write.

--freeze puts one statement into the source table's resource policy, which denies every write to
everybody, and takes out that one alone. It cannot deny what time to live deletes. A replica of a
global table is not frozen.

Exit codes: 0 certified, 1 not ready or not equal, 4 whether the certificate still holds is not
known, 10 somebody writes to the source.

example:
  kcl-processor switchover orders --freeze
"""

from __future__ import annotations

import argparse
import functools
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from kcl_processor.aws import clients
from kcl_processor.cli.copy import add_comparison_arguments, stopping
from kcl_processor.cli.hint import again, as_called
from kcl_processor.cli.output import print_json, tell
from kcl_processor.cli.ranges import whole
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.cli.verified import ComparisonLines, exit_code
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import SKIP, Task
from kcl_processor.errors import (
    ConfigError,
    DestinationError,
    ExitCode,
    PermissionDenied,
    SourceError,
    StillWritten,
)
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import read_leases
from kcl_processor.fleet.stream import Stream
from kcl_processor.fleet.tail import ShardTail
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.preflight import describe
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState, read_switch
from kcl_processor.log import log_to_stderr
from kcl_processor.operate.certificate import Certificate, Proof
from kcl_processor.operate.freeze import Freeze, new_sid, refuse_replicas
from kcl_processor.operate.observe import Observer
from kcl_processor.operate.reversal import SUFFIX, reversed_yaml
from kcl_processor.operate.switchover import (
    Parts,
    Prove,
    Switchover,
    forgotten,
    hold,
    identify,
    keep,
    take_back,
    thaw,
    written_since,
)
from kcl_processor.operate.writer_watch import LISTED, QUIET, WriterWatch
from kcl_processor.table.pace import Halted
from kcl_processor.table.verify_share import SegmentResult
from kcl_processor.table.verify_task import VerifyListener, VerifyOptions, run_verify

HELP = "move writers to the destination, with a proof that nothing is lost"

_WAIT = 300
_LEAST_WAIT, _MOST_WAIT = int(2 * QUIET), 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--freeze", action="store_true", help="deny writes at the source by its resource policy"
    )
    which.add_argument(
        "--thaw",
        action="store_true",
        help="allow writes at the source again; the certificate stands",
    )
    which.add_argument(
        "--back",
        action="store_true",
        help="leave everything as it was before: writes are allowed, the daemon may start",
    )
    which.add_argument(
        "--reverse", action="store_true", help="print the task in the other direction, as YAML"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--wait",
        type=whole(_LEAST_WAIT, _MOST_WAIT),
        default=_WAIT,
        metavar="SECONDS",
        help=f"for the writers to stop and the daemon to be through (default: {_WAIT})",
    )
    add_comparison_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the certificate as JSON")
    add_state_argument(parser)


def run(args: argparse.Namespace) -> int:
    files, clock = chosen_files(args), SystemClock()
    refuse_foreign(files.task, clock, time.sleep)
    if args.reverse:
        return _print_reverse(files, args)
    log_to_stderr()
    mark = read_switch(files.task)
    if args.back or args.thaw:
        return _undo(files, mark, args, clock)
    if mark and mark.state is SwitchState.OVER:
        frozen = _is_frozen(files, mark, args, clock)
        certificate = replace(Certificate.read(mark.certificate), frozen=frozen)
        return _print_again(files, certificate, args, clock)
    with stopping() as halt:
        try:
            return _switch_over(files, mark, args, clock, halt.wait)
        except Halted:
            print("Stopped before the end.", file=sys.stderr)
            return 130


def _switch_over(
    files: TaskFiles,
    mark: SwitchMark | None,
    args: argparse.Namespace,
    clock: Clock,
    wait: Callable[[float], None],
) -> int:
    task, say = files.task, functools.partial(_say, args)
    if mark:
        say(_left(mark, task))
    if mark and mark.state is SwitchState.BACK:
        take_back(files, mark, functools.partial(_freeze, files, clock), clock.now())
        say("Everything is as it was before that one; now to this one.")
        mark = None
    with _still_open(mark, task, args):
        switch = _agreed(files, mark, args, clock, wait)
    certificate = switch.carry_out(mark, deny=args.freeze)
    try:
        keep(files, certificate)
    except OSError as error:
        say(f"The certificate could not be kept in {files.certificate}: {error.strerror}.")
    _print(files, certificate, args, None)
    return ExitCode.OK


def _agreed(
    files: TaskFiles,
    mark: SwitchMark | None,
    args: argparse.Namespace,
    clock: Clock,
    wait: Callable[[float], None],
) -> Switchover:
    """One that nothing speaks against, and that somebody has agreed to; nothing is changed yet."""
    task, say = files.task, functools.partial(_say, args)
    ours = identify(task, clock, wait)
    if args.freeze:
        table = describe(task.source, SourceError, "check the source")
        refuse_replicas(table, f"table {task.source}")
        # A service without policies, or an action that is denied, is found out here.
        _freeze(files, clock, new_sid(task), ours.source.arn).stands()
    switch = Switchover(_parts(files, ours, args, clock, wait), args.wait)
    say("checking the task")
    switch.check()
    if not mark:
        say("the task is healthy; comparing both tables beside the writers")
        proof = switch.compare()
        say(f"{proof.source:,} items compared, nothing differs")
    _agree(files, args, mark)
    return switch


@contextmanager
def _still_open(mark: SwitchMark | None, task: Task, args: argparse.Namespace) -> Iterator[None]:
    """Say what stays as it is if an earlier command's switchover is not gone on with."""
    try:
        yield
    except BaseException:
        if mark:
            tell(
                as_called(
                    f"The switchover of task {task.name}, {mark}, is open still; "
                    f"{_denied(mark, task)}. Try: kcl-processor switchover {task.name} --back",
                    args,
                )
            )
        raise


def _parts(
    files: TaskFiles,
    ours: Identity,
    args: argparse.Namespace,
    clock: Clock,
    wait: Callable[[float], None],
) -> Parts:
    task = files.task
    observer = Observer(files, clock, wait)
    return Parts(
        files=files,
        ours=ours,
        look=lambda: observer.look(thorough=True),
        watch=lambda: _watch(files, ours.stream, clock, wait),
        leases=lambda: read_leases(clients.checkpoints(task), table_names(task)),
        freeze=functools.partial(_freeze, files, clock),
        prove=_prove(files, args, clock),
        clock=clock,
        wait=wait,
        say=functools.partial(_say, args),
    )


def _watch(files: TaskFiles, arn: str, clock: Clock, wait: Callable[[float], None]) -> WriterWatch:
    client = clients.streams(files.task.source)
    stream = Stream(client, arn, clock, wait, keep=LISTED)
    return WriterWatch(stream, functools.partial(ShardTail, client, arn), clock)


def _freeze(files: TaskFiles, clock: Clock, sid: str, arn: str) -> Freeze:
    source = files.task.source
    # What is taken back is taken back whole, whoever asks the command to stop meanwhile.
    return Freeze(clients.tables(source), arn, f"table {source}", sid, clock, time.sleep)


def _prove(files: TaskFiles, args: argparse.Namespace, clock: Clock) -> Prove:
    task = files.task

    def prove(on_turn: Callable[[], None], *, consistent: bool) -> Proof:
        options = VerifyOptions(
            max_rcu=args.max_rcu, processes=args.processes, consistent=consistent
        )
        with stopping() as halt:
            lines = ComparisonLines(task.name, clock)
            verified = run_verify(task, options, _Turns(on_turn, lines), halt, clock)
        results = verified.results
        differing = sum(result.differing for result in results)
        if not differing and exit_code(verified, task) == ExitCode.CRASH:
            differing = sum(result.colliding for result in results)
        return Proof(
            source=sum(result.source for result in results),
            laid=sum(result.laid for result in results),
            destination=sum(result.destination for result in results),
            kept=sum(result.kept for result in results),
            differing=differing,
            unsure=sum(one.undecided + one.failed for one in results)
            + (sum(one.untraced for one in results) if verified.has_strays else 0),
        )

    return prove


class _Turns(VerifyListener):
    """Passes a comparison's turns on, and tells how far it is."""

    def __init__(self, on_turn: Callable[[], None], lines: ComparisonLines) -> None:
        self._on_turn = on_turn
        self._lines = lines

    def progress(self, results: Sequence[SegmentResult], pending: int) -> None:
        self._lines.tell(results, pending)
        self._on_turn()


def _agree(files: TaskFiles, args: argparse.Namespace, mark: SwitchMark | None) -> None:
    task = files.task
    if args.freeze or (mark and mark.sid):
        question = f"Deny every write to {task.source}, until the certificate is there and longer?"
    else:
        question = f"Stop every writer of {task.source} now. Have they stopped?"
    _ask(question, args, f"; or {again(args, '--freeze')} --back" if mark else "")


def _ask(question: str, args: argparse.Namespace, otherwise: str = "") -> None:
    """Ask before anything is changed.

    Raises:
        ConfigError: nobody agrees.
    """
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            "Nothing was changed: nobody is there to be asked.", f"{again(args)} --yes{otherwise}"
        )
    print(f"{question} Type yes to go on: ", end="", file=sys.stderr, flush=True)
    # Nothing is to be ended in an orderly way yet, and a reading would go on behind the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
    if answer.strip().lower() != "yes":
        raise ConfigError("Nothing was changed.", again(args))


def _left(mark: SwitchMark, task: Task) -> str:
    denied, begun = _denied(mark, task), f"A switchover of task {task.name}, {mark},"
    if mark.state is SwitchState.BACK:
        return f"{begun} was being taken back, which did not come to its end; {denied}."
    return (
        f"{begun} did not come to its end; {denied}. This command goes on with it, and with --back "
        "it is taken back."
    )


def _denied(mark: SwitchMark, task: Task) -> str:
    if mark.sid:
        return f"writes to {task.source} are denied by statement {mark.sid} of its policy"
    return "it denies no writes"


def _undo(files: TaskFiles, mark: SwitchMark | None, args: argparse.Namespace, clock: Clock) -> int:
    task, say = files.task, functools.partial(_say, args)
    if mark is None or (args.thaw and not mark.sid):
        if not _lift_forgotten(files, args, clock):
            say(f"There is nothing to take back: no write to {task.source} is denied from here.")
        return ExitCode.OK
    if args.thaw and mark.state is not SwitchState.OVER:
        raise ConfigError(
            f"The switchover of task {task.name}, {mark}, has no certificate that could stand.",
            f"kcl-processor switchover {task.name} --back",
        )
    back = (
        f"Leave everything as it was, with writers at {task.source}? What was written to "
        f"{task.destination} since is not there, and may be written over."
    )
    _ask(f"Allow writes to {task.source}?" if args.thaw else back, args)
    freeze = functools.partial(_freeze, files, clock)
    # It takes seconds, and is not left half done.
    if args.thaw:
        with stopping():
            thaw(task, mark, freeze)
        say(f"Writes to {task.source} are allowed again; the certificate stands.")
    else:
        with stopping():
            take_back(files, mark, freeze, clock.now())
        _lift_forgotten(files, args, clock)
        tell(
            as_called(
                "Everything is as it was before the switchover; if the daemon was stopped, "
                f"kcl-processor run {task.name} goes on.",
                args,
            )
        )
    return ExitCode.OK


def _lift_forgotten(files: TaskFiles, args: argparse.Namespace, clock: Clock) -> int:
    """Take out statements that nobody knows of any more; how many there were."""
    source = files.task.source
    found = forgotten(files.task, clock, time.sleep)
    for frozen in found:
        _say(args, f"Statement {frozen.sid} in the policy of {source} is of no switchover any more")
        _ask(f"Take it out, and allow writes to {source}?", args)
        frozen.lift(None)
        _say(args, "It is taken out.")
    return len(found)


def _is_frozen(files: TaskFiles, mark: SwitchMark, args: argparse.Namespace, clock: Clock) -> bool:
    """Whether writes at the source are denied: as was noted, where the policy cannot be read."""
    if not mark.sid:
        return False
    with suppress(SourceError, PermissionDenied):
        if not _freeze(files, clock, mark.sid, mark.source).stands():
            source = files.task.source
            _say(args, f"Somebody took the denial of writes out of the policy of {source}.")
            return False
    return True


def _print_again(
    files: TaskFiles, certificate: Certificate, args: argparse.Namespace, clock: Clock
) -> int:
    """The certificate that stands, and whether somebody wrote since.

    Of an earlier version's, which paused the daemon last, the command may have been killed before.
    """
    hold(files.task, clock, time.sleep, functools.partial(_say, args))
    watch = _watch(files, certificate.stream, clock, time.sleep)
    written = written_since(certificate, watch, time.sleep)
    _print(files, certificate, args, written)
    living = Observer(files, clock, time.sleep).look(patient=False).live
    if living:
        _say(args, f"The daemon still runs: {', '.join(living)}. Stop it.")
    if written is None:
        _say(args, "Whether somebody wrote to the source since then, its stream no longer tells.")
        return ExitCode.UNKNOWN
    if written:
        raise StillWritten(
            f"{written} changes were made at {files.task.source} since then: the certificate holds "
            "no longer, unless a replica in the other direction makes them.",
            f"stop that writer, and bring its changes over by hand where writers write to "
            f"{files.task.destination} already; only if none does, kcl-processor switchover "
            f"{files.task.name} --back, then kcl-processor switchover {files.task.name}",
        )
    _say(args, "Nobody wrote to the source since then.")
    return ExitCode.OK


def _print(
    files: TaskFiles, certificate: Certificate, args: argparse.Namespace, written: int | None
) -> None:
    steps = list(_next(files.task, certificate, args))
    if args.json:
        print_json({**certificate.as_json(), "written_since": written, "next": steps})
        return
    print("\n".join(certificate.lines()))
    print("Next:")
    print("\n".join(f"  {number}  {step}" for number, step in enumerate(steps, 1)))


def _next(task: Task, certificate: Certificate, args: argparse.Namespace) -> Iterator[str]:
    """What to do to go on, and to go back."""
    stop = "stop the daemon, which is paused, on every host, and its supervisors"
    # A request whose answer was lost has settled by then (``WINDOW`` of ``replicate/doubt.py``).
    if certificate.expired and task.ttl_deletes != SKIP:
        stop += "; then wait a minute: what time to live deleted last may be on its way there still"
    yield stop
    if not task.is_ruled:
        yield as_called(
            f"for a way back, before the writers write: kcl-processor switchover {task.name} "
            "--reverse, which says how",
            args,
        )
    yield f"let the writers write to {task.destination}"
    denied = ", which allows writes at the source again" if certificate.frozen else ""
    yield as_called(
        f"or go back, before they do: kcl-processor switchover {task.name} --back{denied}", args
    )


def _print_reverse(files: TaskFiles, args: argparse.Namespace) -> int:
    task = files.task
    print(reversed_yaml(args.config, task), end="")
    mark = read_switch(task)
    tell("\n".join(_reverse_steps(task, mark, args)))
    return ExitCode.OK


def _reverse_steps(task: Task, mark: SwitchMark | None, args: argparse.Namespace) -> Iterator[str]:
    """How to start the other direction so that nothing circles, and nothing is lost."""
    file = f"{task.name}{SUFFIX}.yml"
    back = argparse.Namespace(**{**vars(args), "config": file, "task": None, "words": []})
    if mark is None or mark.state is not SwitchState.OVER:
        yield as_called(
            f"There is no certificate yet; first comes kcl-processor switchover {task.name}", args
        )
    yield f"Keep it as {file}. To start it so that nothing circles and nothing is lost:"
    yield f"  1  the daemon of {task.name} is stopped everywhere; it is not started while the "
    yield "     certificate stands"
    if _has_stream(task):
        yield f"  2  the stream of {task.destination} is on already, and holds what that daemon"
        yield "     wrote in the last 24 hours. The first start lays it over the other side again:"
        yield f"     {task.source} passes through older states, and ends with the last"
    else:
        yield as_called(
            "  2  before the writers write there: kcl-processor prepare --yes, which turns the",
            back,
        )
        yield f"     stream of {task.destination} on: it then holds their changes and no older ones"
    if mark and mark.sid:
        yield as_called(f"  3  kcl-processor switchover {task.name} --thaw, or it", args)
        yield f"     could not write to {task.source}; see that no old writer comes back"
    yield as_called("  then  kcl-processor run", back)
    yield as_called(
        f"To come back: a switchover of it, then kcl-processor switchover {task.name} --back, and "
        f"kcl-processor run {task.name}",
        args,
    )


def _has_stream(task: Task) -> bool:
    table = describe(task.destination, DestinationError, "check the destination")
    return bool((table.get("StreamSpecification") or {}).get("StreamEnabled"))


def _say(args: argparse.Namespace, text: str) -> None:
    """Tell the operator a step."""
    tell(as_called(text, args))

"""Say whether a task makes progress, for probes: exit code 0 if it does, 1 if not.

Unhealthy is: no living worker, a shard without owner or lease, an owner that does not renew,
changes lost, more lag than --max-lag, or a record processor on this host that applied no
delivery, not even an empty one, for --max-idle. What is found is looked at twice before it
counts: a shard that changes hands is for some seconds without an owner. What is paused, throttled
by `throttle_when`, or waits for a limit, is late as it was asked, and said so; it is unhealthy when
three quarters of the stream's 24 hours are used up.
A switchover that is open is told, and is unhealthy once its command gives no sign of life for 15
minutes. With --max-proof-age so is a task whose tables were not all proven equal by verify within
that time, or where keys differ.

--local asks only about this host's workers and calls no service: use it where the answer restarts
something, such as a Kubernetes livenessProbe or a systemd watchdog, for one worker's restart
does not mend another's trouble; where a host has several, ask for each by --workerId. Without
--local, use the command as an alarm.

  livenessProbe: {exec: {command: [kcl-processor, health, TASK, --local]},
                  initialDelaySeconds: 60, periodSeconds: 30, timeoutSeconds: 20}

examples:
  kcl-processor health orders --max-lag 300
  kcl-processor health orders --local
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json
from kcl_processor.cli.ranges import amount
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import with_worker
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.launch import daemon
from kcl_processor.launch.proof import Standing
from kcl_processor.operate.endings import last_endings, words
from kcl_processor.operate.health import forsaken, found_again, local_problems, problems
from kcl_processor.operate.observe import Observer
from kcl_processor.operate.status import Switching, limits, pauses, switching, throttles
from kcl_processor.state.heartbeat import read_every

HELP = "say whether a task makes progress, for probes"


@dataclass(frozen=True)
class _Found:
    """What is wrong, what holds it back, what is said besides, and how the proof stands."""

    problems: list[str]
    paused: list[str]
    limited: list[str]
    throttled: list[str]
    notes: list[str]
    proof: Standing | None
    switchover: Switching | None


# Seconds before what was found is looked at again.
_SECOND_LOOK = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    parser.add_argument(
        "--max-lag", metavar="S", type=amount, default=900, help="seconds behind (default: 900)"
    )
    parser.add_argument(
        "--max-idle", metavar="S", type=amount, default=120, help="seconds idle (default: 120)"
    )
    parser.add_argument(
        "--max-proof-age", metavar="S", type=amount, help="seconds since the oldest proof of a part"
    )
    parser.add_argument("--local", action="store_true", help="only this host's workers")
    parser.add_argument("--workerId", metavar="ID", help="with --local: only the worker of this id")
    parser.add_argument("--json", action="store_true", help="a JSON object")


def run(args: argparse.Namespace) -> int:
    if args.workerId and not args.local:
        raise ConfigError("--workerId is of this host's workers.", "add --local")
    if args.local and args.max_proof_age is not None:
        raise ConfigError("--max-proof-age is not of this host alone.", "leave --local out")
    files = _of_worker(chosen_files(args), args.workerId)
    task, look = files.task, _look(files, args)
    seen = look()
    found = seen.problems
    if found:
        time.sleep(_SECOND_LOOK)
        seen = look()
        found = found_again(found, seen.problems)
    found = [as_called(problem, args) for problem in found]
    if args.json:
        shown = {"task": task.name, "healthy": not found, "problems": found}
        shown |= {"paused": seen.paused, "limited": seen.limited, "throttled": seen.throttled}
        shown["switchover"] = asdict(seen.switchover) if seen.switchover else None
        print_json(shown | (_proven(seen.proof) if args.max_proof_age is not None else {}))
    else:
        notes = [as_called(note, args) for note in seen.notes]
        held = [*seen.paused, *seen.limited, *seen.throttled]
        print("\n".join([*(found or [f"{task.name} is healthy"]), *held, *notes]))
    return ExitCode.CRASH if found else ExitCode.OK


def _proven(proof: Standing | None) -> dict[str, object]:
    """As ``status --json`` has it."""
    age = proof.age(SystemClock().now()) if proof else None
    return {"proven": age, "differences": proof.differences if proof and not proof.void else None}


def _of_worker(files: TaskFiles, worker: str | None) -> TaskFiles:
    if worker is None:
        return files
    return replace(files, task=with_worker(files.task, worker, "--workerId"))


def _look(files: TaskFiles, args: argparse.Namespace) -> Callable[[], _Found]:
    clock = SystemClock()

    def local() -> _Found:
        folders = [files.heartbeats] if args.workerId else files.every_heartbeats()
        running = _runs(files, args.workerId)
        found = local_problems(
            read_every(folders, clock.now()),
            args.max_idle,
            clock.now(),
            running=running,
            state=files.state,
            ended=[] if running else _ended(files, args.workerId),
        )
        return _Found(found, [], [], [], [], None, None)

    def everywhere() -> _Found:
        sight = observer.look(thorough=True)
        found = problems(sight, args.max_lag, args.max_idle, args.max_proof_age)
        found += forsaken(sight)
        seen = Switching.seen(sight)
        held = pauses(sight), limits(sight), throttles(sight)
        return _Found(found, *held, switching(sight), sight.proof, seen)

    if args.local:
        return local
    observer = Observer(files, clock, time.sleep)
    return everywhere


def _ended(files: TaskFiles, worker: str | None) -> list[str]:
    found = [end for end in last_endings(files) if worker in (None, end.worker)]
    return [words(files.task.name, end) for end in found[:1]]


def _runs(files: TaskFiles, worker: str | None) -> bool:
    running = daemon.running_workers(files)
    return worker in running if worker else bool(running)

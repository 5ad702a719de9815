"""Units for systemd and supervisord: a task's daemon, started again where that helps.

Both stop on the exit codes that need a person first, and start again on all others and on signals.
Neither can be relied on for the pause in between (supervisord has none for a program that ran for a
while, systemd before version 254 has no growing one), so ``run --supervised`` makes it.
"""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from kcl_processor.config.kcl_properties import seconds
from kcl_processor.config.paths import is_queue
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode

# Ended with one of these, a daemon would end the same way again.
FINAL = (
    ExitCode.CONFIG,
    ExitCode.PERMISSION,
    ExitCode.SOURCE,
    ExitCode.DESTINATION,
    ExitCode.POISON,
    ExitCode.GAP,
)
# What a reviewer asks for. Left out: MemoryDenyWriteExecute, since Java compiles as it runs, and
# ProcSubset, since memory and sockets are read in /proc.
_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
"""
# Seconds beyond shutdownGraceMillis, so that last checkpoints are not cut.
_STOP_MARGIN = 15


def unit_name(task: Task) -> str:
    """What the task's daemon is called, in systemd and in supervisord."""
    return f"kcl-processor-{task.name}"


def systemd_unit(task: Task, command: list[str]) -> str:
    """The text of a systemd unit. State and logs go where systemd keeps them."""
    # Specifiers and variables that systemd would replace; the folders' are meant.
    words = [word.replace("%", "%%").replace("$", "$$") for word in command]
    words += ["--state-dir", "%S/kcl-processor", "--log-dir", "%L/kcl-processor"]
    return f"""\
[Unit]
Description=Replication of {task.source} to {task.destination}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
# Made once by: useradd --system --home-dir /var/lib/kcl-processor kcl-processor
User=kcl-processor
UMask=0077
ExecStart={_systemd_words(words)}
StateDirectory=kcl-processor
StateDirectoryMode=0700
LogsDirectory=kcl-processor
LogsDirectoryMode=0700
{_elsewhere(task)}\
Restart=on-failure
RestartSec=1
RestartPreventExitStatus={" ".join(str(int(code)) for code in FINAL)}
# Java says it of a stop that comes while it starts; nothing has begun by then.
SuccessExitStatus=143
# The daemon alone is asked to stop; it ends the record processors after their last checkpoint.
KillMode=mixed
TimeoutStopSec={_stop_seconds(task)}
{_HARDENING}
[Install]
WantedBy=multi-user.target
"""


def _elsewhere(task: Task) -> str:
    """The folder of a file that is not among the state, which nothing else could be written to."""
    given = task.dead_letters
    if not given or is_queue(given) or not Path(given).is_absolute():
        return ""
    return f"ReadWritePaths={_systemd_words([str(Path(given).parent).replace('%', '%%')])}\n"


def supervisord_program(task: Task, command: list[str], state: Path, logs: Path) -> str:
    """The text of a supervisord program section."""
    words = [*command, "--state-dir", str(state), "--log-dir", str(logs)]
    codes = ",".join(str(int(code)) for code in (ExitCode.OK, *FINAL))
    return f"""\
[program:{unit_name(task)}]
command={shlex.join(words).replace("%", "%%")}
autorestart=unexpected
exitcodes={codes}
; With more, supervisord would retry an early end whatever its exit code.
startsecs=0
stopsignal=TERM
stopwaitsecs={_stop_seconds(task)}
killasgroup=true
redirect_stderr=true
stdout_logfile={str(logs / f"{task.name}-run.log").replace("%", "%%")}
"""


def _stop_seconds(task: Task) -> int:
    return math.ceil(seconds(task.kcl.properties, "shutdownGraceMillis")) + _STOP_MARGIN


def _systemd_words(words: list[str]) -> str:
    return " ".join(f'"{word}"' if " " in word else word for word in words)

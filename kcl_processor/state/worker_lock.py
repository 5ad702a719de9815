"""A worker's lock on its host, which every process of the worker holds in its own way.

The daemon (``WorkerLock`` of the launcher) holds one byte of the file for itself, and before it
begins waits until nobody holds the other, of which each record processor has a share. So a worker
has one daemon, and a daemon that was killed and started again writes nothing while a record
processor of its predecessor may still have a request on its way. The kernel lets go of a lock when
its process ends. They are POSIX locks, for that is what Java has.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from kcl_processor.errors import ConfigError
from kcl_processor.state.durable import private_folder

# The launcher's WorkerLock has the same numbers.
DAEMON = 0
RECORD_PROCESSORS = 1
# ``struct flock`` of Linux (fcntl.h): type, whence, start, length, process.
_FLOCK = "hhqqi"


def has_daemon(lock: Path) -> bool:
    """Whether a live process of this host is the worker's daemon, however it was started.

    Not for a process that holds a share: to close the file here would let go of it.
    """
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, DAEMON, 1, 0)
        holder = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return bool(holder[0] != fcntl.F_UNLCK)


def share(lock: Path) -> None:
    """Hold a share of a worker's lock until this process ends.

    Raises:
        ConfigError: the file cannot be opened.
    """
    try:
        private_folder(lock.parent)
        # Never closed: to close any descriptor of the file would let go of the lock.
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(descriptor, fcntl.LOCK_SH, 1, RECORD_PROCESSORS)
    except OSError as error:
        raise ConfigError(
            f"{lock} cannot be locked: {error.strerror}.", "--state-dir with a folder of yours"
        ) from error

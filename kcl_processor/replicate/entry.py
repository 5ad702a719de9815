"""Where the programs begin that the daemon starts for its shards.

They are read in for some tenths of a second, and a Ctrl-C on the daemon's terminal reaches them,
too: it is the daemon's from their first line on.
"""

from __future__ import annotations

import signal
from typing import NoReturn

signal.signal(signal.SIGINT, signal.SIG_IGN)


def child() -> NoReturn:
    """``kcl-processor-child``."""
    from kcl_processor.replicate.child import main

    main()


def fork_server() -> NoReturn:
    """``kcl-processor-fork-server``."""
    from kcl_processor.replicate.fork_server import main

    main()

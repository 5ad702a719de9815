"""``kcl-processor``, and ``python -m kcl_processor``."""

import signal

# Until ``main`` catches it, a Ctrl-C ends this as it ends any program: without a word.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from kcl_processor.cli import main

if __name__ == "__main__":
    main()

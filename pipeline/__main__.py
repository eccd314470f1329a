"""Runs a service as process 1 of a container: `python -m pipeline producer`.

The kernel delivers to process 1 only the signals that it handles, and a service handles none during the half
second that its imports take.
"""

import os
import runpy
import signal
import sys

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pipeline producer|consumer|video|training")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)

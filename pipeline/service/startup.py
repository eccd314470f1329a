"""Start and end of every service: settings first, then the log, then its own wiring."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from prometheus_client import Counter

from pipeline.service import logs, stderr
from pipeline.service.masking import hide
from pipeline.service.settings import Settings, SettingsError, load, strangers

_LINES = Counter("streamlens_library_lines", "Lines that libraries wrote to standard error")
_Settings = TypeVar("_Settings", bound=Settings)


def run(name: str, kind: type[_Settings], serve: Callable[[_Settings], int]) -> int:
    """Return the exit status of `serve`, or 2 after printing a line for each wrong setting."""
    try:
        settings = load(kind)
        logs.configure(settings.loglevel, settings.logformat)
        for line in strangers(kind):
            logging.getLogger(name).warning("%s", line)
        return serve(settings)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"{name}: {hide(line)}", file=sys.stderr)
        return 2


def main(name: str, kind: type[_Settings], serve: Callable[[_Settings], int]) -> NoReturn:
    """Run a service, and end the process with its exit status."""
    # Before its workers run, a service has nothing to finish. As process 1 of a container it must handle the
    # signal itself, or it would not end.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    stderr.take(_LINES.inc)
    logs.configure("info", "auto")  # until the settings are known
    logs.take_uncaught()
    status = run(name, kind, serve)
    logging.shutdown()
    # A thread still blocked in OpenCV on a silent camera would turn a normal exit into an abort.
    os._exit(status)

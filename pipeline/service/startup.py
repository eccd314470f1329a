"""How every service starts and ends: settings first, then the log, then its own wiring."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from pipeline.service import logs
from pipeline.service.settings import Settings, SettingsError, load, strangers

_Settings = TypeVar("_Settings", bound=Settings)


def run(name: str, kind: type[_Settings], serve: Callable[[_Settings], int]) -> int:
    """Return the exit status of `serve`, or 2 with a line for each setting that will not do."""
    try:
        settings = load(kind)
        logs.configure(settings.loglevel, settings.logformat)
        for line in strangers(kind):
            logging.getLogger(name).warning("%s", line)
        return serve(settings)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"{name}: {line}", file=sys.stderr)
        return 2


def main(name: str, kind: type[_Settings], serve: Callable[[_Settings], int]) -> NoReturn:
    """Run a service, and end the process with its exit status."""
    # Before its workers run, a service has nothing to finish; as process 1 of a container it must say so.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    status = run(name, kind, serve)
    logging.shutdown()
    # A worker that still waits in OpenCV, for a camera that is silent, would make an orderly end an abort.
    os._exit(status)

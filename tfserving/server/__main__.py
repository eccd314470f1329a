"""Serve models over gRPC and REST until SIGTERM or SIGINT."""

import ctypes
import gc
import logging
import sys
from typing import Final

from pipeline.service import stderr
from tfserving.server import flags, signals
from tfserving.server.errors import ServingError
from tfserving.server.flags import Flags
from tfserving.server.models import config
from tfserving.server.rest import serve

_ARENA_MAX: Final = -8  # malloc.h


def main() -> int:
    """Run the server; return the exit status."""
    options = flags.parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        run(options)
    except (OSError, ServingError) as error:
        reason = f"{error.code.name}: {error}" if isinstance(error, ServingError) else error
        print(f"Failed to start server. Error: {reason}", file=sys.stderr)
        return 1
    return 0


def run(options: Flags) -> None:
    """Serve until SIGTERM or SIGINT, or print the version.

    Raises OSError or ServingError if the server cannot start.
    """
    _share_arenas()
    stop = signals.stop_event()
    models, listener = None, None
    if not options.version:
        models = config.first(options)
        # gRPC binds its port later, by itself. This only checks early that the port is free.
        serve.bind(options.port, options.host).close()
        listener = serve.bind(options.rest_api_port, options.host) if options.rest_api_port else None
    # Importing TensorFlow takes seconds. Errors found before that are reported immediately.
    from tfserving.server import start  # noqa: PLC0415

    if options.version:
        print(start.version())
    else:
        start.run(options, models, listener, stop)


def _share_arenas() -> None:
    """Let all threads share two of glibc's arenas: each one keeps what a flood of requests has filled."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # only glibc has it
        mallopt(_ARENA_MAX, 2)


if __name__ == "__main__":
    stderr.take()  # TensorFlow's libjpeg writes a line for each thing that is wrong with a picture
    status = main()
    gc.freeze()  # otherwise Python would spend seconds collecting TensorFlow's objects at exit
    sys.exit(status)

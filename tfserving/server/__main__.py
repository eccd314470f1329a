"""Serve models over gRPC and REST until SIGTERM or SIGINT."""

import gc
import logging
import sys

from tfserving.server import flags, signals
from tfserving.server.errors import ServingError
from tfserving.server.flags import Flags
from tfserving.server.models import config
from tfserving.server.rest import serve


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
    """Serve until told to stop, or tell the version; raise OSError or ServingError where that cannot be."""
    stop = signals.stop_event()
    models, listener = None, None
    if not options.version:
        models = config.first(options)
        # gRPC binds its port by itself, and late: here it is only seen whether it is taken.
        serve.bind(options.port).close()
        listener = serve.bind(options.rest_api_port) if options.rest_api_port else None
    # TensorFlow takes seconds to import: what is wrong before that is said at once.
    from tfserving.server import start  # noqa: PLC0415

    if options.version:
        print(start.version())
    else:
        start.run(options, models, listener, stop)


if __name__ == "__main__":
    status = main()
    gc.freeze()  # else Python would spend seconds on TensorFlow's garbage before the process ends
    sys.exit(status)

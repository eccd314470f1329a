"""Serve a model's folder over REST until SIGTERM or SIGINT."""

import logging
import sys

from tfserving.server import flags, serve, signals


def main() -> int:
    """Run the server; return the exit status."""
    options = flags.parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = signals.stop_event()
    try:
        listener = serve.bind(options.rest_api_port)
    except OSError as error:
        print(f"Failed to start server. Error: port {options.rest_api_port}: {error}", file=sys.stderr)
        return 1
    # TensorFlow takes seconds to import: what is wrong before that is said at once.
    from tfserving.server import start  # noqa: PLC0415

    if options.version:
        print(start.version())
        return 0
    return start.run(options, listener, stop)


if __name__ == "__main__":
    sys.exit(main())

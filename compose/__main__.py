"""Starts the whole system on one machine, without Docker: `python -m compose`."""

import os
import sys
from collections.abc import Sequence

from compose import options, parts
from compose.console import Console, announce, wants_colour
from compose.errors import OptionsError
from compose.network import free_ports
from compose.runner import Interrupts, Runner


def main(arguments: Sequence[str]) -> int:
    """Wire the parts, run them until told to stop, and return the exit status."""
    interrupts = Interrupts()
    interrupts.listen()
    try:
        wanted = options.read(arguments)
    except OptionsError as error:
        print(f"compose: {error}", file=sys.stderr)
        return 2

    started = parts.table(wanted, iter(free_ports(len(wanted.cameras) + 4)))
    names = [part.name for part in started]
    console = Console(sys.stderr, names, colour=wants_colour(sys.stderr, os.environ))
    console.say(f"starting {', '.join(names)}")
    runner = Runner(
        started,
        console,
        interrupts,
        kafka=wanted.kafka,
        ready=lambda: announce(f"ready: {parts.page_address(wanted.port, os.environ)}"),
        seconds=wanted.seconds,
    )
    return runner.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Start the whole system on one machine, without Docker: `python -m compose`."""

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the parts run, there is nothing to end, and the imports take a while.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

from pipeline.service import title

if __name__ == "__main__":
    title.mask_arguments()  # before the imports, which take a while

import asyncio
import sys
from collections.abc import Sequence

from compose import addresses, folder, options, parts, runner, settings, trained
from compose.console import Console, announce, wants_colour
from compose.errors import OptionsError
from compose.network import free_ports
from compose.runner import Interrupts
from pipeline.service.masking import learn


async def main(arguments: Sequence[str]) -> int:
    """Wire the parts, run them until a signal comes, and return the exit status."""
    # Python has None in place of a stream that the shell has closed, as by >&-.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 # for the life of the process
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    interrupts = Interrupts()
    interrupts.listen()
    try:
        chosen = options.read(arguments)
        place, misplaced = folder.choose(os.environ)
        key, lost = folder.key(place, os.environ)
        models, unserved = trained.file(chosen, place, os.environ)
        ports = free_ports(parts.most_ports(chosen))
        table = parts.table(chosen, iter(ports), str(place), key, models)
        settings.check(table)
    except OptionsError as error:
        for line in str(error).splitlines():
            print(f"compose: {line}", file=sys.stderr)
        return 2

    links = (camera.link for camera in chosen.cameras)
    learn(*links, chosen.model_url, os.environ.get("KAFKACONFIG", ""), key.get("CAMERASKEY", ""))
    names = [part.name for part in table]
    console = Console(sys.stderr, names, colour=wants_colour(sys.stderr, os.environ))
    for line in filter(None, (misplaced, lost, unserved)):
        console.say(line)
    console.say(f"starting {', '.join(names)}")
    page = addresses.page_address(chosen.port, os.environ)

    def ready(kafka: str) -> None:
        announce(f"ready: {page}")
        console.say(f"to change the cameras: {page}, or {addresses.command_for_cameras(kafka, key)}")

    def trainable() -> None:
        console.say(f"to train models: {addresses.training_address(chosen.training_port, os.environ)}")
        if models:
            console.say(f"trained models are served at {addresses.served_address(table)}NAME")

    return await runner.run(
        table,
        console,
        interrupts,
        kafka=chosen.kafka,
        ready=ready,
        page=page,
        seconds=chosen.seconds,
        links={camera.name: camera.shown for camera in chosen.cameras},
        trainable=trainable,
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))

"""Runs the parts given as JSON, as compose does: `python -m tests.compose.driver JSON`."""

import asyncio
import json
import os
import signal
import sys
from typing import Any

from compose import job, runner
from compose.console import Console, announce, wants_colour
from compose.parts import Part
from compose.runner import Interrupts


async def main(given: dict[str, Any]) -> int:
    parts = [
        Part(**{**fields, "command": tuple(fields["command"]), "kafka": tuple(fields["kafka"])})
        for fields in given["parts"]
    ]
    for name, value in given["constants"].items():
        setattr(job, name, value)
    interrupts = Interrupts()
    interrupts.listen()
    console = Console(sys.stderr, [part.name for part in parts], colour=wants_colour(sys.stderr, os.environ))
    return await runner.run(
        parts,
        console,
        interrupts,
        kafka=given["kafka"],
        ready=lambda _: announce("ready: here"),
        page="here",
        seconds=given["seconds"],
    )


if __name__ == "__main__":
    # Under nohup, SIGHUP is ignored, and by whatever is started from there.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    sys.exit(asyncio.run(main(json.loads(sys.argv[1]))))

"""Runs the parts that are given as JSON, as compose does: `python -m tests.compose.driver JSON`."""

import json
import os
import sys

from compose.console import Console, announce, wants_colour
from compose.parts import Part
from compose.runner import Interrupts, Runner

if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    parts = [
        Part(**{**fields, "command": tuple(fields["command"]), "kafka": tuple(fields["kafka"])})
        for fields in wanted["parts"]
    ]
    interrupts = Interrupts()
    interrupts.listen()
    console = Console(sys.stderr, [part.name for part in parts], colour=wants_colour(sys.stderr, os.environ))
    runner = Runner(
        parts,
        console,
        interrupts,
        kafka=wanted["kafka"],
        ready=lambda: announce("ready: here"),
        seconds=wanted["seconds"],
    )
    sys.exit(runner.run())

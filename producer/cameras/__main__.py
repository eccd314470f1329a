"""List, change and check the cameras of `CAMERASTOPIC`: `python -m producer.cameras COMMAND`."""

from pipeline.service import title

if __name__ == "__main__":
    title.mask_arguments()  # before the imports, which take a while

import argparse
import logging
import os
import sys
from collections.abc import Callable
from typing import Final

from pipeline.cameras.seal import SealError
from pipeline.service.settings import SettingsError, load
from producer.cameras import change, console, keys, table
from producer.cameras.arguments import parse
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings
from producer.cameras.states import states
from producer.cameras.store import Store

Command = Callable[[argparse.Namespace, CommandSettings], int]


def _list(options: argparse.Namespace, settings: CommandSettings) -> int:
    with Store(settings) as store:
        reports = states(settings) if store.has_status else {}
        form = table.as_json if options.json else table.table
        if store.cameras or options.json:
            console.say(form(store.cameras, reports, store.seal))
        else:
            console.note(f"topic {settings.topic} lists no cameras: add one with add NAME LINK")
        for line in store.troubles():
            console.warn(line)
    return 0


def _check(options: argparse.Namespace, settings: CommandSettings) -> int:
    from producer.cameras.check import check  # noqa: PLC0415 # FFmpeg and OpenCV take a second

    return check(options, settings)


def _export(options: argparse.Namespace, settings: CommandSettings) -> int:
    from producer.cameras.export import export  # noqa: PLC0415 # needs PyYAML

    return export(options, settings)


def _apply(options: argparse.Namespace, settings: CommandSettings) -> int:
    from producer.cameras.apply import apply  # noqa: PLC0415 # needs PyYAML

    return apply(options, settings)


def _discover(options: argparse.Namespace, settings: CommandSettings) -> int:
    from producer.cameras.onvif.discover import discover  # noqa: PLC0415 # seldom used

    return discover(options, settings)


_COMMANDS: Final[dict[str, Command]] = {
    "list": _list,
    "add": change.add,
    "set": change.change,
    "remove": change.remove,
    "pause": change.pause,
    "resume": change.resume,
    "check": _check,
    "export": _export,
    "apply": _apply,
    "key": keys.key,
    "discover": _discover,
}


def main(arguments: list[str]) -> int:
    """Run a command; return its exit status: 1 after one line on stderr if it failed, 2 for a wrong one."""
    try:
        options = parse(arguments)
        settings = load(CommandSettings)
    except (CommandError, SettingsError) as error:
        console.complain(str(error))
        return 2
    try:
        return _COMMANDS[options.command](options, settings)
    except (CommandError, SettingsError, SealError) as error:
        console.complain(str(error))
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


if __name__ == "__main__":
    # Whatever matters is printed by the commands themselves.
    logging.basicConfig(level=logging.CRITICAL)
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # A thread still blocked in FFmpeg on a silent camera would turn a normal exit into an abort.
    os._exit(status)

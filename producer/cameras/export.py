"""Write all cameras to a file."""

import argparse
import os
from pathlib import Path

from pipeline.cameras.record import CameraRecord, RecordError
from producer.cameras import console, document
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings
from producer.cameras.store import Store


def export(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Write all cameras as YAML; return 1 if one of them cannot be read."""
    with Store(settings) as store:
        found = store.cameras
        usable = {name: camera for name, camera in found.items() if isinstance(camera, CameraRecord)}
        has_key = bool(settings.cameraskey.get_secret_value() or settings.cameraskeyfile)
        text = document.written(usable, store.seal, has_key=has_key, links=options.links)
    broken = {name: error for name, error in found.items() if isinstance(error, RecordError)}
    for name, error in broken.items():
        console.complain(f"{name} is left out: its record cannot be used: {error}")
    if options.file in (None, "-"):
        console.say(text.rstrip("\n"))
    else:
        _write(options.file, text)
        console.note(f"wrote {len(usable)} cameras to {options.file}")
    return 1 if broken else 0


def _write(file: str, text: str) -> None:
    path = Path(os.path.expanduser(file))
    if path.is_dir():
        raise CommandError(f"{file or path}: cannot be written: it is a folder")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Whole, or not at all; and for nobody else to read.
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
            new.write(text)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"{file}: cannot be written: {error.strerror}") from None

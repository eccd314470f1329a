"""Keys to the links in the topic."""

import argparse

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.seal import SealError, new_key
from producer.cameras import console
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings
from producer.cameras.store import Store


def key(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Print a new key, or with `--rotate` encrypt all links with the first key."""
    if not options.rotate:
        console.say(new_key())
        console.note(
            "Set it as CAMERASKEY for producers, consumers, video servers and this command, or write it to"
            " the CAMERASKEYFILE. To replace a key: put the new one in front (new,old), run key --rotate, and"
            " then remove the old one. Keep it: without it, links have to be set again."
        )
        return 0
    if not (settings.cameraskey.get_secret_value() or settings.cameraskeyfile):
        raise CommandError("expected a key in CAMERASKEY or CAMERASKEYFILE: key prints a new one")
    return _rotate(settings)


def _rotate(settings: CommandSettings) -> int:
    changes: dict[str, CameraRecord | None] = {}
    failed = 0
    with Store(settings) as store:
        for name, record in store.cameras.items():
            try:
                if not isinstance(record, CameraRecord):
                    raise SealError(f"its record cannot be used: {record}")
                link = store.seal.close(store.seal.open(record.link))
                changes[name] = record.model_copy(update={"link": link})
            except SealError as error:
                failed += 1
                console.complain(f"{name} is left as it is: {error}")
        store.save(changes)
    console.say(f"encrypted {len(changes)} links with the first key, {failed} failed")
    return 1 if failed else 0

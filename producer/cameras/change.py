"""Add, change and remove cameras, one command at a time."""

import argparse
from typing import Any

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import partition_for, why_no_partition
from producer.cameras import console, fields
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings
from producer.cameras.store import Store


def add(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Add a camera, or with `--replace` replace it."""
    name = fields.check_name(options.name)
    given = _given(options)
    fields.record({**given, "link": "0"})  # before a camera is asked
    link = link_of(console.link(options.link), settings)
    with Store(settings) as store:
        before = store.cameras.get(name)
        if before is not None and not options.replace:
            raise CommandError(f"there is a camera {name!r} already: change it with set, or give --replace")
        kept = before.partition if isinstance(before, CameraRecord) else None
        given.setdefault("partition", kept if kept is not None else place(store, name))
        record = fields.record({**given, "link": store.seal.close(link)})
        _check_partition(options, record, store)
        _warn(store, name, link)
        store.save({name: record})
    console.say(f"{'added' if before is None else 'replaced'} {name}{where(record, settings)}")
    return 0


def change(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Change single fields of a camera."""
    given = _given(options)
    link = None if options.link is None else link_of(console.link(options.link), settings)
    if link is None and not given:
        raise CommandError("expected something to change, such as --interval 40ms")
    with Store(settings) as store:
        before = known(store, options.name)
        kept = before.model_dump(exclude_defaults=True, exclude={name for name in given if name != "link"})
        if link is not None:
            kept["link"] = store.seal.close(link)
            _warn(store, options.name, link)
        after = fields.record({**kept, **given})
        _check_partition(options, after, store)
        found = fields.changes(before, after, store.seal)
        if found:
            store.save({options.name: after})
    console.say(f"changed {options.name}: {'; '.join(found)}" if found else f"{options.name} is unchanged")
    return 0


def remove(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Remove cameras: all that are named, or none."""
    with Store(settings) as store:
        names = _all_known(store, options.names)
        store.save(dict.fromkeys(names))
    for name in names:
        console.say(f"removed {name}")
    return 0


def pause(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Stop capturing cameras."""
    return _paused(options.names, settings, paused=True)


def resume(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Capture paused cameras again."""
    return _paused(options.names, settings, paused=False)


def known(store: Store, name: str) -> CameraRecord:
    """Return a camera's record; raise `CommandError` if there is none, or an unusable one."""
    record = store.cameras.get(name)
    if record is None:
        raise CommandError(f"there is no camera {name!r}{console.nearest(name, store.cameras)}")
    if isinstance(record, RecordError):
        raise CommandError(f"the record of camera {name!r} cannot be used: {record}; add it with --replace")
    return record


def place(store: Store, name: str) -> int | None:
    """Return the partition for a new camera's frames; None if their topic does not exist yet."""
    others = (record for other, record in store.cameras.items() if other != name)
    return partition_for(store.partitions, others) if store.partitions else None


def where(record: CameraRecord, settings: CommandSettings) -> str:
    """Return the end of a line about a new camera: its partition."""
    if record.partition is not None:
        return f", partition {record.partition}"
    return f"; topic {settings.topicname} does not exist yet, so Kafka will choose its partition"


def link_of(text: str, settings: CommandSettings) -> str:
    """Return the link that is meant; a camera that knows ONVIF is asked for it. Raises `CommandError`."""
    if fields.is_onvif(text):
        from producer.cameras.onvif.resolve import resolved  # noqa: PLC0415 # needs OpenCV

        text = resolved(text, settings)
    return fields.check_link(text)


def _paused(names: list[str], settings: CommandSettings, *, paused: bool) -> int:
    word = "paused" if paused else "resumed"
    with Store(settings) as store:
        records = {name: known(store, name) for name in _all_known(store, names)}
        store.save(
            {
                name: record.model_copy(update={"paused": paused})
                for name, record in records.items()
                if record.paused != paused
            }
        )
    for name, record in records.items():
        console.say(
            f"{word} {name}" if record.paused != paused else f"{name} is {'' if paused else 'not '}paused"
        )
    return 0


def _all_known(store: Store, names: list[str]) -> list[str]:
    names = list(dict.fromkeys(names))
    if missing := [name for name in names if name not in store.cameras]:
        near = console.nearest(missing[0], store.cameras)
        raise CommandError(f"there is no camera {missing[0]!r}{near}; nothing was changed")
    return names


def _warn(store: Store, name: str, link: str) -> None:
    links = {
        other: fields.opened(record, store.seal)
        for other, record in store.cameras.items()
        if isinstance(record, CameraRecord)
    }
    for line in [*fields.warnings(name, link, links), *store.troubles()]:
        console.warn(line)


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a record that options give; those with an empty value get their defaults."""
    found: dict[str, Any] = {}
    for name in ("interval", "rotate", "group", "weight", "deadline", "partition"):
        if (text := getattr(options, name)) is not None:
            found[name] = text or CameraRecord.model_fields[name].default
    if options.scale is not None:
        found["scale"] = _factors(options.scale) if options.scale else (1.0, 1.0)
    if options.model is not None:
        found["models"] = [model for model in options.model if model] or None
    if options.paused is not None:
        found["paused"] = options.paused
    return found


def _check_partition(options: argparse.Namespace, record: CameraRecord, store: Store) -> None:
    if options.partition and (why := why_no_partition(record.partition, store.partitions)):
        raise CommandError(why)


def _factors(text: str) -> tuple[float, float]:
    parts = text.lower().replace(",", "x").split("x")
    try:
        across, down = (float(part) for part in (parts * 2 if len(parts) == 1 else parts))
    except ValueError:
        raise CommandError(f"scale: {text!r}: expected a factor such as 0.5, or two: 0.5x0.25") from None
    return across, down

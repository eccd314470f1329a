"""Make the cameras what a file says."""

import argparse
from collections.abc import Mapping

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import is_sealed
from pipeline.cameras.topic import partition_for, why_no_partition
from pipeline.service.masking import remember_link
from producer.cameras import console, document, fields
from producer.cameras.change import link_of, where
from producer.cameras.document import MASKED, Entry
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings
from producer.cameras.store import Store

_LINES = 20  # of warnings
_ADDED, _CHANGED, _REMOVED = "added", "changed", "removed"


def apply(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Add and change cameras, with `--prune` remove those that the file does not name; or write nothing."""
    entries = _asked(document.read(console.text_of(options.file), options.file), settings)
    with Store(settings) as store:
        wanted = _wanted(entries, store, prune=options.prune)
        changes: dict[str, CameraRecord | None] = {}
        lines: list[tuple[str, str]] = []
        for name, record in wanted.items():
            before = store.cameras.get(name)
            if before is None:
                changes[name] = record
                lines.append((_ADDED, f"{name}{where(record, settings)}"))
            elif isinstance(before, RecordError):
                changes[name] = record
                lines.append((_CHANGED, f"{name}: its record could not be used"))
            elif found := fields.changes(before, record, store.seal):
                changes[name] = record
                lines.append((_CHANGED, f"{name}: {'; '.join(found)}"))
        others = [name for name in store.cameras if name not in wanted]
        if options.prune:
            changes |= dict.fromkeys(others)
            lines += [(_REMOVED, name) for name in others]
        _warn(changes, wanted, store)
        if changes and not options.dry_run:
            store.save(changes)
    for verb, rest in lines:
        console.say(f"{'would be ' if options.dry_run else ''}{verb}: {rest}")
    count = {verb: sum(each == verb for each, _ in lines) for verb in (_ADDED, _CHANGED, _REMOVED)}
    unchanged = len(wanted) - count[_ADDED] - count[_CHANGED]
    kept = 0 if options.prune else len(others)
    console.say(
        f"{'dry run: ' if options.dry_run else ''}{count[_ADDED]} added, {count[_CHANGED]} changed,"
        f" {count[_REMOVED]} removed, {unchanged} unchanged"
        + (f"; {kept} not in the file (--prune removes them)" if kept else "")
    )
    return 0


def _asked(entries: Mapping[str, Entry], settings: CommandSettings) -> dict[str, Entry]:
    """Return the entries with the links that cameras with ONVIF name; raise `CommandError`."""
    found = dict(entries)
    wrong: list[str] = []
    for name, entry in entries.items():
        link = entry.fields["link"]
        if MASKED in link or not fields.is_onvif(link):
            continue
        remember_link(link)
        try:
            link = link_of(link, settings)
        except CommandError as error:
            wrong.append(f"{entry.place}: {error}")
        found[name] = Entry(entry.place, {**entry.fields, "link": link})
    if wrong:
        raise CommandError("\n".join(wrong))
    return found


def _wanted(entries: Mapping[str, Entry], store: Store, *, prune: bool) -> dict[str, CameraRecord]:
    """Return the records of a file's cameras; raise `CommandError` with a line for each that has no link."""
    present = store.cameras
    wanted: dict[str, CameraRecord] = {}
    wrong: list[str] = []
    placed = [record for name, record in present.items() if name not in entries and not prune]
    for name, entry in entries.items():
        before = present.get(name)
        given = dict(entry.fields)
        if MASKED in given["link"]:
            if not isinstance(before, CameraRecord):
                wrong.append(f"{entry.place}: link: its password is masked (***), and there is no camera yet")
                continue
            given["link"] = before.link
        elif is_sealed(given["link"]) and (locked := fields.link_of(fields.record(given), store.seal)[1]):
            console.warn(f"{entry.place}: {locked}")
        if given.get("partition") is None and isinstance(before, CameraRecord):
            given["partition"] = before.partition
        try:
            wanted[name] = fields.record({**given, "link": store.seal.close(given["link"])})
        except CommandError as error:
            wrong.append(f"{entry.place}: {error}")
            continue
        if why := why_no_partition(wanted[name].partition, store.partitions):
            console.warn(f"{entry.place}: {why}, so Kafka will choose one")
    if wrong:
        raise CommandError("\n".join(wrong))
    placed += [record for record in wanted.values() if record.partition is not None]
    for name, record in wanted.items():
        if record.partition is None and store.partitions:
            wanted[name] = record.model_copy(update={"partition": partition_for(store.partitions, placed)})
            placed.append(wanted[name])
    return wanted


def _warn(
    changes: Mapping[str, CameraRecord | None], wanted: Mapping[str, CameraRecord], store: Store
) -> None:
    lines: list[str] = []
    before: dict[str, str | None] = {}
    for name, record in wanted.items():
        link = fields.opened(record, store.seal)
        if link is not None and changes.get(name) is not None:
            lines += fields.warnings(name, link, before)
        before[name] = link
    for line in [*lines[:_LINES], *store.troubles()]:
        console.warn(line)
    if more := len(lines[_LINES:]):
        console.warn(f"and {more} others")

"""Open a camera as a producer would, and report what it delivers and what to change."""

import argparse
import os
import time
from typing import Final

from pipeline.cameras.links import kind_of
from pipeline.cameras.record import CameraRecord
from producer.cameras import console, fields
from producer.cameras.advice import CODECS, advice, hint
from producer.cameras.change import known, link_of
from producer.cameras.errors import CommandError
from producer.cameras.measure import Measured, Shape, measure
from producer.cameras.settings import CommandSettings
from producer.cameras.store import Store
from producer.cameras.table import aligned
from producer.opening import Opening
from producer.sources import open_source
from producer.sources.source import SLOW, CaptureError, Limits, Source

_GRACE: Final = 0.5  # s for a source that has waited in vain to say why
_STILL: Final = 5.0  # s between two lines while it is opened
_UP_TO: Final = 600.0  # s to measure


def check(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Report on a camera; return 1 if it cannot be opened, or delivers no picture."""
    if not 0 < options.seconds <= _UP_TO:
        raise CommandError(f"--seconds {options.seconds:g}: expected more than 0, at most {_UP_TO:g}")
    link, record = _target(options.target, settings)
    shape = Shape(settings.frameinterval)
    if record is not None:
        shape = Shape(record.interval or settings.frameinterval, record.rotate, record.scale)
    limits = Limits(
        settings.opentimeout,
        settings.frozenafter,
        settings.redirecthosts,
        settings.services,
        pixels=settings.maxpixels,
    )
    console.note(f"opening {fields.shown(link)}, which may take {settings.opentimeout:g} s")
    begun = time.monotonic()
    try:
        source = _opened(link, limits, shape.interval)
        try:
            console.note(
                f"opened after {time.monotonic() - begun:.1f} s; measuring for {options.seconds:g} s"
            )
            found = measure(source, shape, options.seconds)
        finally:
            source.close()
    except CaptureError as error:
        console.complain(f"{fields.shown(link)}: {error}")
        if text := hint(str(error)):
            console.note(f"hint: {text}")
        return 1
    console.say(report(found, shape))
    for line in advice(found, shape) or ["nothing to change"]:
        console.say(f"- {line}")
    return 0


def report(found: Measured, shape: Shape) -> str:
    """Return what was measured, a line for each quantity."""
    how = "published undecoded" if found.passes else "decoded, and encoded again as JPEG"
    rate = f"{found.rate:.1f} frames/s" if found.rate else "a single frame in this time"
    each = fields.duration(shape.interval)
    return aligned(
        [
            ("codec", f"{CODECS.get(found.codec, found.codec or 'unknown')}, {how}"),
            ("size", f"{found.width} x {found.height}"),
            ("rate", f"{rate}; at most one per {each} is published"),
            ("JPEG", f"{found.size / 1000:.1f} kB per frame, {found.size * found.published / 1e6:.2f} MB/s"),
            ("cost", f"{found.work * 1000:.1f} ms per published frame, {found.load:.0%} of a core"),
        ]
    )


def _target(text: str, settings: CommandSettings) -> tuple[str, CameraRecord | None]:
    """Return the link to open and, if it belongs to a camera by name, its record."""
    is_link = (
        text == "-" or "://" in text or fields.is_onvif(text) or text.isdecimal() or os.path.exists(text)
    )
    if is_link or text.startswith(("/", ".")):
        return link_of(console.link(text), settings), None
    if settings.kafkaport is None:
        raise CommandError(
            f"{text!r}: expected a link, or the name of a camera: then set KAFKAPORT to where it is listed"
        )
    with Store(settings) as store:
        record = known(store, text)
        return fields.check_link(store.seal.open(record.link)), record


def _opened(link: str, limits: Limits, interval: float) -> Source:
    kind_of(link)
    opening = Opening(lambda: open_source(link, limits, interval))
    begun = time.monotonic()
    until = begun + limits.open + _GRACE
    while not opening.wait(min(_STILL, max(0.0, until - time.monotonic()))):
        if time.monotonic() >= until:
            opening.abandon()
            raise CaptureError(f"it is not open after {limits.open:g} s{SLOW}")
        console.note(f"still opening after {time.monotonic() - begun:.0f} s")
    return opening.result()

"""A camera as the topic of cameras describes it, prepared for the event loop and the API."""

import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, SealError
from pipeline.service.masking import mask

STARS: Final = "***"
"""What a masked part of a link is replaced by."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A camera's record, or why there is none that can be used; `known` is when it came, s of both clocks.

    `link` is masked, and `locked` is why the record's does not decrypt here, or None.
    """

    record: CameraRecord | None
    trouble: str | None = None
    link: str = ""
    locked: str | None = None
    known: float = field(default_factory=time.time)
    since: float = field(default_factory=time.monotonic)

    @property
    def is_paused(self) -> bool:
        """Whether its frames are not wanted."""
        return self.record is not None and self.record.paused

    @property
    def group(self) -> str:
        """The heading under which the page shows it."""
        return self.record.group if self.record else ""

    def after(self, before: "Configured | None") -> "Configured":
        """Return this record as it follows another: known as long, if the camera is opened as before."""
        if before is None or self._opening != before._opening:
            return self
        return replace(self, known=before.known, since=before.since)

    @property
    def _opening(self) -> tuple[object, ...]:
        link = self.record.link if self.record else ""
        return link, self.is_paused, self.trouble, self.locked

    def config(self) -> dict[str, Any] | None:
        """Return the record's fields as the API reports them; None if it cannot be used."""
        record = self.record
        if record is None:
            return None
        width, height = record.scale
        return {
            "link": self.link,
            "interval": _duration(record.interval),
            "scale": width if width == height else [width, height],
            "rotate": record.rotate,
            "models": record.models,
            "paused": record.paused,
            "weight": record.weight,
            "deadline": _duration(record.deadline),
            "group": record.group,
            "partition": record.partition,
        }


def configured(change: CameraRecord | RecordError, seal: Seal) -> Configured:
    """Return a camera of the topic; a link that does not decrypt is masked completely."""
    if isinstance(change, RecordError):
        return Configured(None, f"its record in the topic of cameras cannot be used: {change}")
    try:
        return Configured(change, link=mask(seal.open(change.link)))
    except SealError as error:
        return Configured(change, link=STARS, locked=str(error))


def _duration(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return f"{seconds:.15g}s" if seconds >= 1 else f"{1000 * seconds:.12g}ms"

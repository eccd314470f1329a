"""Cameras' records from what clients send: checked, with their links encrypted."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from pipeline.cameras.links import DEVICE, SCHEMES, Kind, LinkError, kind_of
from pipeline.cameras.record import LONGEST_LINK, CameraRecord, RecordError, why_no_name, writable
from pipeline.cameras.seal import Seal, is_sealed
from video.cameras.configured import STARS

FIELDS: Final = tuple(name for name in CameraRecord.model_fields if name != "until")
"""The fields that a client may set."""

PREVIEW_FIELDS: Final = ("link", "interval", "scale", "rotate")
"""Those of a preview."""

_SHOWN: Final = 40  # characters of a wrong field's name


class FieldError(ValueError):
    """What a client sends is not a camera: one line that names the field, but not the link."""


class Schemes:
    """Checks and encrypts links: only those of the `allowed` schemes, as in `LINKSCHEMES`."""

    def __init__(self, allowed: Collection[str], seal: Seal) -> None:
        self._allowed = allowed
        self._seal = seal

    def sealed(self, link: object) -> str:
        """Return a link as it is written to the topic; raise `FieldError`. The file system is not asked."""
        if not isinstance(link, str):
            raise FieldError("link: expected a text such as rtsp://user:password@192.168.1.20/stream1")
        link = link.strip()
        if STARS in link:
            raise FieldError(
                "link: it is masked: send the whole link, or leave it out to keep the present one"
            )
        if not link.isprintable() or len(link) > LONGEST_LINK:
            raise FieldError(f"link: expected at most {LONGEST_LINK} printable characters")
        if not link:
            raise FieldError("link: is missing")
        before, is_url, _ = link.partition("://")
        if is_sealed(link) or (is_url and before.lower() not in self._allowed):
            raise FieldError(f"link: {self._expected()}")
        try:
            scheme = _scheme_of(link)
        except LinkError as error:
            raise FieldError(f"link: {error}") from None
        if scheme not in self._allowed:
            raise FieldError(f"link: {self._expected()}")
        sealed = self._seal.close(link)
        if len(sealed) > LONGEST_LINK:
            raise FieldError(f"link: it is too long: encrypted, it has more than {LONGEST_LINK} characters")
        return sealed

    def same(self, link: str, sealed: str) -> bool:
        """Return whether a new link is what an encrypted one stands for."""
        try:
            return self._seal.open(sealed) == self._seal.open(link)
        except ValueError:
            return False

    def _expected(self) -> str:
        urls = [f"{each}://" for each in sorted(self._allowed) if each not in {"file", DEVICE}]
        others = [each for each in ("file", DEVICE) if each in self._allowed]
        found = [*urls, *({"file": "a path", "device": "a device"}[each] for each in others)]
        return f"expected a link that begins with one of {', '.join(found)} (LINKSCHEMES allows others)"


def checked_name(name: object) -> str:
    """Return the name of a new camera; raise `FieldError` for anything else."""
    if not isinstance(name, str):
        raise FieldError("name: expected a text")
    if why := why_no_name(name):
        raise FieldError(f"name: {why}")
    return name


def checked_record(
    fields: Mapping[str, Any],
    schemes: Schemes,
    *,
    allowed: Collection[str] = FIELDS,
    before: CameraRecord | None = None,
) -> CameraRecord:
    """Return the record with these fields; raise `FieldError` that names the first wrong one.

    Without a link, that of the record before stays, and so does its partition.
    """
    for name in fields:
        if name not in allowed:
            shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
            raise FieldError(f"{shown!r}: is not a field; expected {', '.join(allowed)}")
    given = dict(fields)
    if before is not None:
        given.setdefault("partition", before.partition)
    if before is not None and given.get("link") is None:
        given["link"] = before.link
    else:
        given["link"] = schemes.sealed(given.get("link", ""))
        if before is not None and schemes.same(given["link"], before.link):
            given["link"] = before.link  # encrypted differently, it would look like another one
    try:
        return writable(given)
    except RecordError as error:
        raise FieldError(str(error)) from None


def _scheme_of(link: str) -> str:
    """Return what `LINKSCHEMES` calls a link, without a look at the file system of this machine.

    Raises `LinkError` for a URL that no kind of camera can open.
    """
    before, is_url, _ = link.partition("://")
    if is_url:
        kind_of(link)
        return before.lower()
    if link.isdecimal() or link.startswith("/dev/"):
        return DEVICE
    start = link.replace("/", ":").partition(":")[0].lower()
    if start != link.lower() and SCHEMES.get(start, Kind.FILE) is not Kind.FILE:
        raise LinkError(f"expected {start}://HOST:PORT/PATH, found no ://")
    return "file"

"""The fields of a camera's record: as options and files give them, and as people read them."""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from pipeline.cameras.links import Kind, kind_of, path_of
from pipeline.cameras.record import CameraRecord, RecordError, why_no_name, writable
from pipeline.cameras.seal import Seal, SealError, is_sealed
from pipeline.service.masking import mask
from pipeline.service.settings import explain
from producer.cameras.errors import CommandError
from producer.settings import Link

NAMES: Final = tuple(name for name in CameraRecord.model_fields if name != "until")
"""The fields that people set; `until` is for previews."""

ENCRYPTED: Final = "(encrypted)"
"""What is shown in place of a link that does not decrypt here."""

_LINK: Final[TypeAdapter[Any]] = TypeAdapter(Link)
_STARS: Final = "***"
_NAMED: Final = 3  # cameras in a warning
_DEFAULTS: Final = {
    "interval": "default",
    "scale": "1",
    "rotate": "0",
    "models": "all",
    "paused": "false",
    "weight": "1",
}


def check_name(name: str) -> str:
    """Return a name that Kafka and URLs can carry; raise `CommandError` for any other."""
    if why := why_no_name(name):
        raise CommandError(f"{name[:40]!r}: {why}")
    return name


def check_link(link: str) -> str:
    """Return a link as producers take it; raise `CommandError` if none of them could open it.

    An encrypted link stays as it is.
    """
    if is_sealed(link):
        return link
    if _STARS in link and "://" in link:
        raise CommandError("link: its password is masked (***): write the password, or leave out the link")
    try:
        opened: str = _LINK.validate_python(link).get_secret_value()
    except ValidationError as error:
        raise CommandError(f"link: {explain(dict(error.errors()[0]))} ({shown(link)!r})") from None
    if kind_of(opened) is Kind.FILE and os.path.exists(path := os.path.expanduser(path_of(opened))):
        return os.path.abspath(path)  # the producer runs in another folder
    return opened


def is_onvif(link: str) -> bool:
    """Return whether a link asks for the stream that a camera with ONVIF offers."""
    return re.match("onvif:|onvif//", link, re.IGNORECASE) is not None


def shown(link: str) -> str:
    """Return a link, fit to be printed even if it is not a URL."""
    return re.sub(r"^.*@", "***@", mask(link)) if "://" not in link else mask(link)


def record(fields: Mapping[str, Any]) -> CameraRecord:
    """Return the record with these fields; raise `CommandError` that names the first wrong one."""
    try:
        return writable(dict(fields))
    except RecordError as error:
        raise CommandError(str(error)) from None


def duration(seconds: float) -> str:
    """Return seconds as a Go duration."""
    milliseconds = seconds * 1000
    if abs(milliseconds - round(milliseconds)) > 1e-6:
        return f"{seconds!r}s"
    whole = round(milliseconds)
    return f"{whole // 1000}s" if whole % 1000 == 0 else f"{whole}ms"


def plain(camera: CameraRecord) -> dict[str, Any]:
    """Return the fields that differ from the defaults, as people write them; the link as it stands."""
    fields = camera.model_dump(mode="json", exclude_defaults=True, exclude={"until"})
    for name in ("interval", "deadline"):
        if name in fields:
            fields[name] = duration(fields[name])
    if "scale" in fields:
        across, down = (float(f"{each:g}") for each in camera.scale)
        fields["scale"] = across if across == down else [across, down]
    return fields


def link_of(camera: CameraRecord, seal: Seal) -> tuple[str, str | None]:
    """Return a camera's link, fit to be printed, and why it cannot be decrypted, or None."""
    try:
        return shown(seal.open(camera.link)), None
    except SealError as error:
        return ENCRYPTED, str(error)


def opened(camera: CameraRecord, seal: Seal) -> str | None:
    """Return a camera's link; None if it does not decrypt."""
    try:
        return seal.open(camera.link)
    except SealError:
        return None


def changes(before: CameraRecord, after: CameraRecord, seal: Seal) -> list[str]:
    """Return what differs between two records of a camera, in a few words each."""
    old, new = plain(before), plain(after)
    found = []
    for name in NAMES:
        if name == "link":
            if before.link != after.link and opened(before, seal) != (link := opened(after, seal)):
                found.append(f"link {shown(link)}" if link else "link")
        elif old.get(name) != new.get(name):
            found.append(f"{name} {_word(name, old)} → {_word(name, new)}")
    return found


def warnings(name: str, link: str, others: Mapping[str, str | None]) -> list[str]:
    """Return what may be wrong with a link; `others` are the other cameras' links."""
    if is_sealed(link):
        return []
    found = []
    kind = kind_of(link)
    if kind in (Kind.FILE, Kind.DEVICE):
        found.append(
            f"{name}: a {kind} is opened where the producer runs, and only if LINKSCHEMES there lists {kind}"
        )
    if same := [other for other, its in others.items() if its == link and other != name]:
        others_too = f" and {len(same) - _NAMED} others" if len(same) > _NAMED else ""
        found.append(
            f"{name} has the same link as {', '.join(same[:_NAMED])}{others_too}: the camera is asked for it"
            f" {len(same) + 1} times"
        )
    return found


def _word(name: str, fields: Mapping[str, Any]) -> str:
    if name not in fields:
        return _DEFAULTS.get(name, "none")
    value = fields[name]
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

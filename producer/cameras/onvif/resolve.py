"""Turn `onvif://USER:PASSWORD@HOST:PORT/PROFILE` into the link of that profile, or of the best one."""

import re
from typing import Final
from urllib.parse import unquote

from pipeline.cameras.links import authority_of
from pipeline.service.masking import learn
from pipeline.service.values import Address
from pipeline.targets import Targets
from producer.cameras import console, onvif
from producer.cameras.errors import CommandError
from producer.cameras.settings import CommandSettings

_PORT: Final = 80
_EXPECTED: Final = "onvif: expected onvif://USER:PASSWORD@HOST:PORT/PROFILE (port and profile are optional)"


def resolved(link: str, settings: CommandSettings) -> str:
    """Ask the camera, and return its link with the user name and password; raise `CommandError`."""
    onvif.package()
    from producer.cameras.onvif.device import Login, ask  # noqa: PLC0415 # may not be installed
    from producer.cameras.onvif.discovery import Found  # noqa: PLC0415
    from producer.cameras.onvif.streams import best  # noqa: PLC0415
    from producer.cameras.onvif.xml import AnswerError  # noqa: PLC0415

    parts = authority_of(link.partition("://")[2])
    if parts is None or not parts["host"] or not re.fullmatch("[0-9]{0,5}", parts["port"] or ""):
        raise CommandError(_EXPECTED)
    host, port = parts["host"].strip("[]"), int(parts["port"] or _PORT)
    if not 0 < port <= 65535:
        raise CommandError(f"{_EXPECTED}, with a port from 1 to 65535, found {port}")
    user, _, password = (unquote(text) for text in parts["user"].removesuffix("@").partition(":"))
    if user and not password:
        password = console.secret(f"password of {user}: ")
    learn(f"onvif://{user}:{password}@{host}/")
    wanted = unquote(parts["path"]).strip("/")
    found = Found(Address(host, port))
    console.note(f"asking {found.address}")
    try:
        device = ask(found, Login(user, password), targets(host, settings))
    except AnswerError as error:
        raise CommandError(f"onvif camera {found.address}: {error}") from None
    names = ", ".join(profile.name for profile in device.profiles) or "none"
    chosen = best([each for each in device.profiles if wanted in ("", each.token, each.name)])
    if chosen is None:
        trouble = next((each.trouble for each in device.profiles if each.trouble), "")
        raise CommandError(
            f"onvif camera {found.address}: no usable profile{f' {wanted!r}' if wanted else ''}"
            f" among: {names}" + (f" ({trouble})" if trouble else "")
        )
    rate = f", {chosen.rate:g} frames/s" if chosen.rate else ""
    console.note(f"profile {chosen.name}: {chosen.codec or 'unknown codec'}, {chosen.size}{rate}")
    return chosen.link


def targets(host: str, settings: CommandSettings) -> Targets:
    """Return what the camera at a host may lead to."""
    return Targets(settings.redirecthosts | {host}, settings.services, "the link or REDIRECTHOSTS")

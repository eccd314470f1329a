"""List the ONVIF cameras of a network, and with a login their streams."""

import argparse
import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pipeline.service.masking import learn, mask
from producer.cameras import console, onvif
from producer.cameras.errors import CommandError
from producer.cameras.onvif.resolve import targets
from producer.cameras.settings import CommandSettings
from producer.cameras.table import aligned

if TYPE_CHECKING:  # needs packages that may not be installed
    from producer.cameras.onvif.device import Device, Login
    from producer.cameras.onvif.discovery import Found

_AT_ONCE: Final = 8  # cameras that are asked at the same time
_UP_TO: Final = 120.0  # s


def discover(options: argparse.Namespace, settings: CommandSettings) -> int:
    """Print the cameras that answer; return 1 if there are none, or none accepts the login."""
    onvif.package()
    from producer.cameras.onvif.device import Login  # noqa: PLC0415
    from producer.cameras.onvif.discovery import search  # noqa: PLC0415

    if not 0 < options.seconds <= _UP_TO:
        raise CommandError(f"--seconds {options.seconds:g}: expected more than 0, at most 120")
    login = None
    if options.user:
        login = Login(options.user, console.secret(f"password of {options.user}: "))
        learn(f"onvif://{quote(login.user, safe='')}:{quote(login.password, safe='')}@camera/")
    console.note(f"searching for {options.seconds:g} s")
    found = search(options.network, options.seconds)
    if not found:
        console.complain(f"no ONVIF camera answers{_why_none(options.network)}")
        return 1
    rows = [("ADDRESS", "NAME", "MODEL")]
    rows += [(str(each.address), each.name or "-", each.model or "-") for each in found]
    console.say(aligned(rows))
    if login is None:
        console.note("with --user NAME, the streams of these cameras are listed")
        return 0
    console.note(f"asking {len(found)} cameras for their streams")
    with ThreadPoolExecutor(_AT_ONCE) as asking:
        answers = list(asking.map(lambda each: _asked(each, login, settings), found))
    for each, answer in zip(found, answers, strict=True):
        console.say(f"\n{each.address}  {each.name or each.model}".rstrip())
        console.say(f"  {answer}" if isinstance(answer, str) else _listed(each, answer, login))
    return 0 if any(not isinstance(answer, str) for answer in answers) else 1


def _asked(found: "Found", login: "Login", settings: CommandSettings) -> "Device | str":
    from producer.cameras.onvif.device import ask  # noqa: PLC0415
    from producer.cameras.onvif.xml import AnswerError  # noqa: PLC0415

    try:
        return ask(found, login, targets(found.address.host, settings))
    except AnswerError as error:
        return str(error)


def _why_none(network: str | None) -> str:
    if network is None:
        return (
            ": switch ONVIF on in the camera's settings, or name its network, such as --network"
            " 192.168.1.0/24 (containers and other networks get no multicast)"
        )
    return (
        f" at --network {network!r}: check that it is there, switch ONVIF on in the camera's settings,"
        " and let UDP port 3702 pass"
    )


def _listed(found: "Found", device: "Device", login: "Login") -> str:
    """Return a camera's profiles, each with the command that adds it."""
    rows = [("  PROFILE", "SIZE", "RATE", "CODEC", "STREAM", "SNAPSHOT")]
    for each in device.profiles:
        rate = f"{each.rate:g}" if each.rate else "-"
        stream, snapshot = mask(each.link) or each.trouble, mask(each.snapshot) or "-"
        rows.append((f"  {each.name}", each.size, rate, each.codec or "-", stream, snapshot))
    name = found.name or device.model or found.address.host
    lines = [
        "  python -m producer.cameras add "
        + shlex.join(
            [
                name,
                f"onvif://{quote(login.user, safe='')}@{found.address}/{quote(each.token, safe='')}",
            ]
        )
        for each in device.profiles
        if each.link
    ]
    return "\n".join([aligned(rows), "  to add one of them (the command asks for the password):", *lines])

"""Asks an ONVIF camera what it is, and for the addresses of its streams."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import onvif
from onvif.client import ONVIFService
from onvif.exceptions import ONVIFError
from onvif.util import is_auth_error
from zeep.exceptions import Error, Fault

from pipeline.targets import Targets
from pipeline.wire.text import readable
from producer.cameras.onvif.discovery import Found
from producer.cameras.onvif.streams import Profile, address_of
from producer.cameras.onvif.transport import Transport
from producer.cameras.onvif.xml import AnswerError

MOST_PROFILES: Final = 32
"""Profiles of a camera that are listed."""

_ANSWER: Final = 10.0  # s for each request
_ALL: Final = 40.0  # s for all requests to a camera
_SHOWN: Final = 100  # characters of a name
_WSDL: Final = Path(onvif.__path__[0]) / "wsdl"
_DEVICE: Final = ("devicemgmt.wsdl", "{http://www.onvif.org/ver10/device/wsdl}DeviceBinding")
_MEDIA: Final = ("media.wsdl", "{http://www.onvif.org/ver10/media/wsdl}MediaBinding")
_SETUP: Final = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


@dataclass(frozen=True, slots=True)
class Login:
    """A user of a camera."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Device:
    """What a camera says about itself, and its profiles, in the camera's own order."""

    maker: str
    model: str
    profiles: list[Profile]


def ask(found: Found, login: Login, targets: Targets) -> Device:
    """Return what a camera says; raise `AnswerError` that says in one line why it says nothing.

    Its streams may be at its own host, and at the other hosts that `targets` names.
    """
    try:
        return asyncio.run(asyncio.wait_for(_asked(found, login, targets), _ALL))
    except TimeoutError:
        raise AnswerError(f"it does not answer all questions within {_ALL:g} s") from None
    except Fault as fault:
        raise AnswerError(_refusal(fault)) from None
    except (Error, ONVIFError, AttributeError, KeyError, TypeError, ValueError) as error:
        # The library fails in many ways on answers that lack what the standard requires.
        raise AnswerError(f"its answer is not what ONVIF requires ({type(error).__name__})") from None


async def _asked(found: Found, login: Login, targets: Targets) -> Device:
    device = await _service(_DEVICE, found.url, login, targets, None)
    try:
        ahead = await _ahead(device)
    finally:
        await device.close()
    device = await _service(_DEVICE, found.url, login, targets, ahead)
    try:
        about = await _question(device, "GetDeviceInformation")
        capabilities = await _question(device, "GetCapabilities", {"Category": "Media"})
    finally:
        await device.close()
    url = _at(found, str(capabilities.Media.XAddr))
    media = await _service(_MEDIA, url, login, targets, ahead)
    try:
        profiles = [
            await _profile(media, each, found, login, targets)
            for each in list(await _question(media, "GetProfiles"))[:MOST_PROFILES]
        ]
    finally:
        await media.close()
    return Device(_text(about.Manufacturer), _text(about.Model), profiles)


async def _service(
    kind: tuple[str, str], url: str, login: Login, targets: Targets, ahead: timedelta | None
) -> Any:
    wsdl, binding = kind
    service = ONVIFService(
        url,
        login.user or None,
        login.password or None,
        str(_WSDL / wsdl),
        no_cache=True,
        dt_diff=ahead,
        binding_name=binding,
    )
    service.transport = Transport(urlsplit(url).hostname or "", targets, _ANSWER, login.user, login.password)
    await service.setup()
    return service


async def _question(service: Any, name: str, values: Mapping[str, Any] | None = None) -> Any:
    """Ask a question, with the login if there is one."""
    return await getattr(service, name if service.user else f"authless_{name}")(values)


async def _ahead(device: Any) -> timedelta | None:
    """Return by how much the camera's clock is ahead: it accepts logins that are a few seconds old."""
    try:
        now = (await device.authless_GetSystemDateAndTime()).UTCDateTime
        date, clock = now.Date, now.Time
        there = datetime(date.Year, date.Month, date.Day, clock.Hour, clock.Minute, clock.Second, tzinfo=UTC)
    except (Error, AttributeError, TypeError, ValueError):
        return None
    return there - datetime.now(UTC)


async def _profile(media: Any, each: Any, found: Found, login: Login, targets: Targets) -> Profile:
    token, video = str(each.token), each.VideoEncoderConfiguration
    size = getattr(video, "Resolution", None)
    profile = Profile(
        token,
        _text(each.Name) or _text(token),
        int(getattr(size, "Width", 0) or 0),
        int(getattr(size, "Height", 0) or 0),
        float(getattr(getattr(video, "RateControl", None), "FrameRateLimit", 0) or 0),
        _text(getattr(video, "Encoding", "") or ""),
    )
    try:
        answer = await _question(media, "GetStreamUri", {"StreamSetup": _SETUP, "ProfileToken": token})
        link = address_of(str(answer.Uri), found.address.host, (login.user, login.password), targets)
        profile = replace(profile, link=link)
    except (AnswerError, Fault) as error:
        profile = replace(profile, trouble=_refusal(error) if isinstance(error, Fault) else str(error))
    try:
        answer = await _question(media, "GetSnapshotUri", {"ProfileToken": token})
        snapshot = address_of(str(answer.Uri), found.address.host, (login.user, login.password), targets)
        return replace(profile, snapshot=snapshot)
    except (AnswerError, Fault):  # not every camera has one
        return profile


def _at(found: Found, url: str) -> str:
    """Return the URL of a service at the camera's own host, whatever the camera says."""
    parts, own = urlsplit(url), urlsplit(found.url)
    is_own = parts.hostname == own.hostname and parts.scheme in ("http", "https")
    return urlunsplit((parts if is_own else own)._replace(path=parts.path, query=parts.query))


def _refusal(fault: Any) -> str:
    if is_auth_error(fault):
        return "it does not accept this user name and password"
    return f"it refuses the question: {_text(fault.message)}"


def _text(value: object) -> str:
    return readable(str(value or "")).strip()[:_SHOWN]

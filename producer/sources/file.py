"""A film, or a single picture, in place of a camera."""

import errno
import os
from functools import partial
from typing import Final

from producer.sources import path_of
from producer.sources.causes import unlike_a_video
from producer.sources.ffmpeg import CONTAINERS, Video, open_video
from producer.sources.film import FilmSource
from producer.sources.source import CaptureError, Limits, Source

_START: Final = 512  # bytes that show what a file is
_OPTIONS: Final = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}


def open_source(link: str, timeouts: Limits, interval: float = 0) -> Source:
    """Open the file that a path or a `file://` URL names; raise `CaptureError` if that fails."""
    open_film = partial(_open_film, path_of(link), timeouts, interval)
    return FilmSource(open_film(), open_film, interval)


def _open_film(path: str, timeouts: Limits, interval: float) -> Video:
    if trouble := _trouble(path):
        raise CaptureError(trouble)
    # Without the scheme, FFmpeg would take what precedes a colon in the path for one.
    return open_video(f"file:{path}", timeouts, interval, _OPTIONS)


def _trouble(path: str) -> str | None:
    """Return why a path cannot be a film, or None."""
    try:
        with open(path, "rb") as file:
            return unlike_a_video(file.read(_START))
    except IsADirectoryError:
        return "it is a folder: expected a video file"
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: the path holds a zero byte
        return "there is no such file"
    except PermissionError:
        return "no permission to read the file"
    except OSError as error:
        return (
            "there is no such file"
            if error.errno == errno.ENAMETOOLONG
            else f"the file cannot be read: {os.strerror(error.errno or 0)}"
        )

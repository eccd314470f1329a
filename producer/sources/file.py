"""A film, or a single picture, in place of a camera."""

import errno
from functools import partial
from typing import Final

from pipeline.cameras.links import path_of
from producer.sources.causes import unlike_a_video
from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.film import FilmSource
from producer.sources.pictures import form_of
from producer.sources.source import CaptureError, Limits, Source
from producer.sources.video import Video

_START: Final = 512  # bytes that show what a file is
_OPTIONS: Final = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}


def open_source(link: str, limits: Limits, interval: float = 0) -> Source:
    """Open the file that a path or a `file://` URL names; raise `CaptureError` if that fails."""
    open_film = partial(_open_film, path_of(link), limits, interval)
    return FilmSource(open_film(), open_film, interval)


def _open_film(path: str, limits: Limits, interval: float) -> Video:
    start = _start(path)
    if trouble := unlike_a_video(start):
        raise CaptureError(trouble)
    # Without the scheme, FFmpeg would take what precedes a colon in the path for one.
    return open_video(f"file:{path}", limits, interval, _OPTIONS, form=form_of(start))


def _start(path: str) -> bytes:
    """Return the first bytes of a file; raise `CaptureError` if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(_START)
    except IsADirectoryError:
        reason = "it is a folder: expected a video file"
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: the path holds a zero byte
        reason = "there is no such file"
    except PermissionError:
        reason = "no permission to read the file"
    except OSError as error:
        known = error.errno == errno.ENAMETOOLONG
        reason = "there is no such file" if known else f"the file cannot be read: {error.strerror}"
    raise CaptureError(reason)

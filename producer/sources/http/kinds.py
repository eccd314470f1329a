"""What a camera's answer is, by its headers and its first bytes."""

import re
from typing import Final

import requests

from pipeline.wire import jpeg

UNKNOWN: Final = ("", "application/octet-stream", "binary/octet-stream", "text/plain")
"""Media types that say nothing about an answer."""

_MJPEG: Final = ("multipart/", "video/x-motion-jpeg", "video/x-mjpeg", "video/mjpeg")
_PAGES: Final = ("text/html", "application/xhtml+xml")
_DOCUMENT: Final = re.compile(r"text/.*|application/.*(json|xml|javascript)")
_PICTURE: Final = re.compile(rb"\x89PNG|GIF8|RIFF....WEBP|II\*\0|MM\0\*|....ftypavi[fs]", re.DOTALL)


def kind_of(answer: requests.Response) -> str:
    """Return the media type of an answer, in lower case; it may be empty."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def is_document(kind: str) -> bool:
    """Return whether a media type is that of a text other than a playlist."""
    return bool(_DOCUMENT.fullmatch(kind)) and kind not in UNKNOWN and "mpegurl" not in kind


def is_page(kind: str, first: bytes) -> bool:
    """Return whether an answer is a web page, or something like it."""
    return kind in _PAGES or first.lstrip().startswith(b"<")


def is_mjpeg(kind: str, first: bytes) -> bool:
    """Return whether an answer consists of JPEGs, one after the other."""
    return kind.startswith(_MJPEG) or first.lstrip().startswith((jpeg.START, b"--"))


def is_picture(first: bytes) -> bool:
    """Return whether an answer is a single picture other than a JPEG, also one that moves."""
    return _PICTURE.match(first) is not None


def unreadable_coding(answer: requests.Response) -> str:
    """Return how an answer is compressed, if that is why it cannot be read.

    A web page or another document is of no use either way, and the user should learn that instead.
    """
    coding = answer.headers.get("Content-Encoding", "").strip().lower()
    return "" if coding in ("", "identity") or is_document(kind_of(answer)) else coding

"""What a camera's web server offers, as a file that FFmpeg reads."""

import os
import time
from collections.abc import Mapping
from io import BytesIO
from typing import Final

import requests

from producer.sources.http.encrypted import decrypted
from producer.sources.http.pictures import LARGEST_PART
from producer.sources.http.request import Camera, length_of, read
from producer.sources.source import CaptureError, Limits

_BEHIND: Final = 256 * 1024  # bytes to skip by reading them
_LARGEST_ENCRYPTED: Final = 8 << 20  # bytes; decrypting takes eight times the memory
_START: Final = 1024  # bytes that show the order of an MP4's boxes, and whether a playlist names a key
_MOST_READS: Final = 8  # for these; they may trickle in
_BEFORE: Final = (b"ftyp", b"free", b"skip", b"wide")  # boxes that may precede the pictures and the index

_INDEX_AT_END: Final = (
    f"its index is at its end, behind more than {LARGEST_PART >> 20} MiB, and its server does not send parts"
    " of a file: move the index with ffmpeg -i FILM -c copy -movflags +faststart NEW_FILM"
)
_TOO_LARGE: Final = (
    f"it is encrypted in parts of more than {_LARGEST_ENCRYPTED >> 20} MiB: make them shorter,"
    " or switch the encryption off"
)
_NO_PARTS: Final = "its server does not send the parts of a file that it is asked for"


class Bodies:
    """Opens what FFmpeg asks for, as long as it is on the camera's host."""

    def __init__(self, camera: Camera, limits: Limits) -> None:
        self._camera = camera
        self._limits = limits
        self.trouble: CaptureError | None = None
        """Why the last one could not be opened or read. FFmpeg finds it empty instead."""
        self.is_encrypted = False
        """Whether a playlist names a key."""

    def open(self, url: str, _flags: int, options: Mapping[str, str]) -> "Body | BytesIO":
        """Return the body at a URL, as a file."""
        # Of a part of a file (EXT-X-BYTERANGE).
        start, end = int(options.get("offset", 0)), int(options.get("end_offset", 0))
        # FFmpeg writes this for HLS with AES-128, whose key it has asked for as for anything else.
        encrypted = url.removeprefix("crypto+").removeprefix("crypto:")
        if encrypted != url:
            return BytesIO(self._decrypted(Body(self, encrypted, start), options, end and end - start))
        body = Body(self, url, start)
        head = body.start()
        self.is_encrypted |= _names_key(head)
        if _has_index_at_end(head) and not body.sends_parts():
            self.trouble = None
            return BytesIO(self._whole(body, LARGEST_PART, _INDEX_AT_END))
        return body

    def get(self, url: str, start: int = 0) -> requests.Response | None:
        """Return the answer from the byte `start` on, or None if there is none."""
        try:
            answer = self._camera.get(url, start=start)
        except CaptureError as error:
            self.trouble = error
            return None
        if start and answer.status_code == 200:
            answer.close()
            self.trouble = CaptureError(_NO_PARTS)
            return None
        return answer

    def read(self, answer: requests.Response | None) -> bytes:
        """Return what has arrived of an answer's body; nothing at the end."""
        try:
            return read(answer, self._camera.timeout) if answer is not None else b""
        except CaptureError as error:
            self.trouble = error
            return b""

    def _decrypted(self, body: "Body", options: Mapping[str, str], size: int) -> bytes:
        whole = self._whole(body, _LARGEST_ENCRYPTED, _TOO_LARGE)
        whole = whole[:size] if size else whole
        try:
            return decrypted(whole, options.get("key", ""), options.get("iv", ""))
        except CaptureError as error:
            self.trouble = self.trouble or error  # perhaps there is no key
            return b""

    def _whole(self, body: "Body", most: int, too_large: str) -> bytes:
        """Return a whole body, or nothing if it has more than `most` bytes, or takes too long."""
        until, whole = time.monotonic() + self._limits.open, bytearray()
        try:
            while body.length <= most and (data := body.read(most)):
                whole += data
                if len(whole) > most:
                    break
                if time.monotonic() > until:
                    self.trouble = CaptureError(f"it is not complete within {self._limits.open:g} s")
                    return b""
        finally:
            body.close()
        if max(body.length, len(whole)) > most:
            self.trouble = CaptureError(too_large)
            return b""
        return bytes(whole)


class Body:
    """The body at a URL, from the byte `start` on. Its methods never raise, because FFmpeg calls them."""

    def __init__(self, bodies: Bodies, url: str, start: int = 0) -> None:
        self._bodies = bodies
        self._url = url
        self._answer = bodies.get(url, start)
        self._is_seekable = False
        self.length = 0
        """Its length in bytes; 0 if it is not known."""
        if self._answer is not None:
            self.length = length_of(self._answer) or 0
            # A part of a file is only read from its beginning.
            self._is_seekable = not start and self._answer.headers.get("Accept-Ranges", "").lower() == "bytes"
        self._at = 0
        self._waiting = b""

    def start(self) -> bytes:
        """Return the first bytes, without taking them."""
        for _ in range(_MOST_READS):
            if len(self._waiting) >= _START or not (data := self._bodies.read(self._answer)):
                break
            self._waiting += data
        return self._waiting

    def sends_parts(self) -> bool:
        """Return whether the server sends parts of it, whatever it says about that."""
        answer = self._bodies.get(self._url, self.length - 1) if self.length > 1 else None
        self._is_seekable = answer is not None
        if answer is not None:
            answer.close()
        return self._is_seekable

    def seekable(self) -> bool:
        """Return whether the server lets a reader begin anywhere."""
        return self._is_seekable and self.length > 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        data = self._waiting or self._bodies.read(self._answer)
        self._waiting = data[size:]
        self._at += len(data[:size])
        return data[:size]

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place counted from the start, from here, or from the end; return it."""
        base = {os.SEEK_CUR: self._at, os.SEEK_END: self.length}.get(whence, 0)
        target = min(max(0, base + offset), self.length)
        while 0 < target - self._at <= _BEHIND and self.read(target - self._at):
            pass
        if target != self._at:
            self.close()
            self._waiting = b""
            # A server does not answer requests for what follows the last byte.
            self._answer = self._bodies.get(self._url, target) if target < self.length else None
            self._at = target
        return target

    def close(self) -> None:
        """End the request."""
        if self._answer is not None:
            self._answer.close()


def _has_index_at_end(start: bytes) -> bool:
    """Return whether this is the start of an MP4 whose pictures come before their index."""
    at = 0
    while start[at + 4 : at + 8] in _BEFORE:
        at += int.from_bytes(start[at : at + 4]) or _START
    return start[at + 4 : at + 8] == b"mdat"


def _names_key(start: bytes) -> bool:
    """Return whether this is the start of a playlist whose videos are encrypted."""
    return start.startswith(b"#EXTM3U") and b"#EXT-X-KEY:" in start and b"METHOD=NONE" not in start

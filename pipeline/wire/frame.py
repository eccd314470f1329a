"""A frame, and its form in a Kafka message.

The key is the camera's name, the value the JPEG and nothing else, and the headers are `seq` (decimal, per
camera and run), `captured` (ns since the epoch), perhaps `run` (which identifies a run of the producer) and,
once stamped, `labelled` (the consumer's own run and number), `predictions` (JSON) and, if several models
have labelled it, `covered` (`pipeline.wire.covered`). The original system's message (`pipeline.wire.mat`) is
read as well; the first byte distinguishes the two.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Protocol

from pipeline.wire import jpeg, largest, mat, predictions
from pipeline.wire.predictions import LARGEST_NUMBER, Prediction

Format = Literal["jpeg", "mat"]

UNNAMED: Final = "camera"
"""The camera of a message without a key, as the original system writes them."""

LONGEST_NAME: Final = 200
"""The greatest length of a camera's name, in characters."""

LONGEST_KEY: Final = 4 * LONGEST_NAME
"""The greatest length of a message's key, a camera's name in UTF-8, in bytes."""

LONGEST_RUN: Final = 40
"""The greatest length of the name of a run, in letters and digits."""

_MOST_HEADERS: Final = 32
_MAT_QUALITY: Final = 95


class FrameError(ValueError):
    """A message is not a frame: `kind` is one word for the metrics, the text says what is wrong."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Frame(NamedTuple):
    """One picture of one camera: `seq` counts per camera, `captured` is in ns since the epoch.

    `run` identifies the run of the producer in which `seq` counts, and `labelled` is the run of a consumer
    and the number that it gave the frame; both may be missing. `covered` restores the JPEG as it was before
    it was stamped, or is empty.
    """

    camera: str
    seq: int
    captured: int
    jpeg: bytes
    width: int
    height: int
    predictions: tuple[Prediction, ...] = ()
    run: str = ""
    labelled: tuple[str, int] | None = None
    covered: bytes = b""

    @property
    def number(self) -> tuple[str, int]:
        """The run of the process that wrote the frame, and its number there; the run may be empty."""
        return self.labelled or (self.run, self.seq)


class Message(NamedTuple):
    """The parts of a Kafka message, and the number of its frame, which the ledger notes (`Frame.number`)."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    number: tuple[str, int] = ("", 0)


class Received(Protocol):
    """The parts of a message that was received; the headers may be read only when they are asked for."""

    @property
    def key(self) -> bytes | None:
        """The camera's name in UTF-8."""

    @property
    def value(self) -> bytes:
        """The picture."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Names and values."""


def is_name(text: str) -> bool:
    """Return whether a text can be a camera's name: 1 to 200 printable characters."""
    # Python does not count the joiner within composite emoji as printable.
    return 0 < len(text) <= LONGEST_NAME and text.replace("\u200d", "").isprintable()


def age_of(captured: int) -> float:
    """Return how many seconds ago a frame was captured; never below 0, even if clocks differ."""
    return max(0.0, (time.time_ns() - captured) / 1e9)


def encode(frame: Frame) -> Message:
    """Write a frame as this system's message."""
    headers = [("seq", b"%d" % frame.seq), ("captured", b"%d" % frame.captured)]
    if frame.run:
        headers.append(("run", frame.run.encode()))
    if frame.labelled:
        headers.append(("labelled", "{}-{}".format(*frame.labelled).encode()))
    if frame.predictions:
        headers.append(("predictions", predictions.encode(frame.predictions)))
    if frame.covered:
        headers.append(("covered", frame.covered))
    return Message(frame.camera.encode(), frame.jpeg, headers, frame.number)


def decode(
    message: Received,
    *,
    offset: int,
    timestamp: int,
    most_pixels: int = largest.MOST_PIXELS,
    left_out: Callable[[FrameError], None] = lambda _: None,
) -> Frame:
    """Read either message, of a picture of at most `most_pixels`; raise `FrameError` for anything else.

    `offset` and `timestamp` (ns since the epoch) are the message's own. They replace `seq` and `captured` if
    these headers are missing, as in the original system's messages. Predictions that are too large, or wrong,
    are left out of the frame, and reported to `left_out`.
    """
    camera = _camera(message.key)
    value = message.value
    if value[:1] == b"{":
        value = _jpeg_of_mat(value, most_pixels)
    try:
        width, height = jpeg.size(value, most_pixels)
    except jpeg.TooLargeError as error:
        raise FrameError("too_large", str(error)) from None
    except jpeg.JpegError as error:
        raise FrameError("bad_jpeg", str(error)) from None
    # Last, because there may be thousands, which cost more than all else.
    headers = _headers(message)
    seq = _number(headers, "seq", offset)
    if seq > LARGEST_NUMBER:
        raise FrameError("bad_header", f"header seq is {seq}, more than {LARGEST_NUMBER}")
    captured = _number(headers, "captured", timestamp)
    try:
        said = predictions.decode(headers["predictions"]) if "predictions" in headers else ()
    except ValueError as error:
        left_out(FrameError("bad_predictions", f"header predictions: {error}"))
        said = ()
    run = _run(headers.get("run", b"")) if "seq" in headers else ""
    labelled = _labelled(headers["labelled"]) if "labelled" in headers else None
    covered = headers.get("covered", b"")
    return Frame(camera, seq, captured, value, width, height, said, run, labelled, covered)


def _jpeg_of_mat(value: bytes, most_pixels: int) -> bytes:
    try:
        image = mat.decode(value, most_pixels)
    except mat.TooLargeError as error:
        raise FrameError("too_large", str(error)) from None
    except mat.MatError as error:
        raise FrameError("bad_mat", str(error)) from None
    # Imported here, so that only readers of the original's messages pay for OpenCV's memory.
    from pipeline.wire import picture  # noqa: PLC0415

    return picture.encode(image, _MAT_QUALITY)


@lru_cache(maxsize=1024)
def _camera(key: bytes | None) -> str:
    if not key:
        return UNNAMED
    if len(key) > LONGEST_KEY:
        raise FrameError("bad_key", f"the key has {len(key)} bytes, more than a camera's name")
    try:
        name = key.decode()
    except UnicodeDecodeError:
        raise FrameError("bad_key", f"the key {key[:40]!r} is not UTF-8") from None
    if not is_name(name):
        raise FrameError(
            "bad_key", f"the key {key[:40]!r} is not a camera's name: too long, or not printable"
        )
    return name


def _headers(message: Received) -> dict[str, bytes]:
    headers = message.headers
    if len(headers) > _MOST_HEADERS:
        raise FrameError("bad_header", f"expected {_MOST_HEADERS} headers at most, found more")
    return {name: value for name, value in headers if value is not None}


def _number(headers: dict[str, bytes], name: str, otherwise: int) -> int:
    text = headers.get(name)
    if text is None:
        return otherwise
    if not (text.isdigit() and len(text) < 20):
        raise FrameError("bad_header", f"header {name} is {text[:40]!r}, not a decimal number")
    return int(text)


@lru_cache(maxsize=1024)
def _run(text: bytes) -> str:
    """Return the name of a run; nothing for what is not one, since no reader needs it to show the frame."""
    return text.decode() if len(text) <= LONGEST_RUN and text.isalnum() else ""


def _labelled(text: bytes) -> tuple[str, int] | None:
    run, _, digits = text.partition(b"-")
    name = _run(run)
    if not (name and digits.isdigit() and len(digits) < 20):
        return None
    number = int(digits)
    return (name, number) if number <= LARGEST_NUMBER else None

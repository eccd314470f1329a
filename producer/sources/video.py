"""A video that FFmpeg reads, through PyAV: its frames in order."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from os import cpu_count
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.format import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from pipeline.service.recorder import working
from pipeline.wire.picture import Image, PictureError
from producer.sources.backlog import Backlog
from producer.sources.causes import NO_DECODER, cause
from producer.sources.keyframes import Keyframes
from producer.sources.pictures import captured
from producer.sources.source import BehindError, Captured, CaptureError, Limits

_MOST_THREADS: Final = 4
_KEEPING: Final = frozenset(
    {"h264", "hevc", "vvc", "vp9", "av1", "libdav1d"}
)  # decoders that keep many frames
_MOST_KEPT: Final = 1.6  # bytes of one of them for each pixel of MAXPIXELS

_ROW: Final = 64  # pixels of which a row has a multiple (STRIDE_ALIGN in FFmpeg's decode.c)


class EndError(CaptureError):
    """The video has ended."""


class Video:
    """An open video: its frames in order, each decoded only if needed.

    Raises `CaptureError` if there is no video in the container.
    """

    def __init__(
        self,
        container: InputContainer,
        limits: Limits,
        interval: float,
        on_close: Callable[[], None],
    ) -> None:
        self._container = container
        self._on_close = on_close
        self._limits = limits
        stream = _stream(container)
        self._time_base = float(stream.time_base or 0)
        if stream.codec_context is None:
            raise CaptureError(NO_DECODER)
        self._codec = stream.codec_context
        if self._codec.width * self._codec.height > limits.pixels:
            raise CaptureError(
                f"its pictures have {self._codec.width} x {self._codec.height} pixels, expected at most"
                f" {limits.pixels} in total (MAXPIXELS)"
            )
        self.codec: str = self._codec.name
        """The name of the decoder, such as `h264`."""
        self._form = (self._codec.pix_fmt, self._codec.width, self._codec.height)
        if self._codec.format is not None:
            self._check_size(self._codec.format)
        # What FFmpeg was opened with does not reach the decoder.
        self._codec.options = {"max_pixels": str(max(limits.pixels, _counted(self._codec)))}
        # With several threads that each decode a frame, every frame comes that many frames late.
        self._codec.thread_type = "SLICE"
        self._codec.thread_count = min(cpu_count() or 1, _MOST_THREADS) if _is_large(self._codec) else 1
        self._is_mjpeg = self._codec.name == "mjpeg"
        # Whether a frame never depends on others, as in Motion JPEG.
        self._is_intra = self._is_mjpeg or self._codec.codec.intra_only
        self._keyframes = Keyframes(interval)
        self._skipped: list[av.Packet[VideoStream]] = []  # since the last keyframe, and that
        self._nominal = float(1 / (stream.average_rate or stream.guessed_rate or 25))
        self._backlog = Backlog()
        self._is_behind = False
        self._waited = 0.0  # s for the packet
        self._packets: Iterator[av.Packet[VideoStream]] = container.demux(stream)
        self._decoded = deque[av.VideoFrame]()
        self._held: av.Packet[VideoStream] | av.VideoFrame | None = None
        self._reformatter = VideoReformatter()
        self.time: float | None = None
        """The current frame's own time in s, if it states one."""
        self.duration = self._nominal
        """The current frame's duration in s, as far as known."""
        self.is_film = container.duration is not None or container.format.name == "hls"
        """Whether the video has a speed of its own, as it is not delivered as it happens."""
        self.may_jump = Flags.ts_discont in Flags(container.format.flags)
        """Whether the times of the format may jump, as those of MPEG-TS do where it was cut."""

    def read(self) -> None:
        """Go to the next frame; raise `EndError` after the last one, which stays the current one.

        Raises `CaptureError` if reading fails.
        """
        while not self._decoded:
            packet = self._next_packet()
            if packet is None:
                raise EndError("it has ended")
            if not packet.size:
                self._decode(None)
                continue
            if self._leaves_out(packet):
                return
            if self._is_intra or self._skips(packet):
                if self._is_intra or packet.is_keyframe:
                    self._hold(packet)
                    return
            elif not self._decode(packet):
                self._held = None
                return
        self._hold(self._decoded.popleft())

    def captured(self, at: int) -> Captured:
        """Return the current frame, captured at `at` ns; raise `PictureError` if it cannot be decoded."""
        if self._is_behind:
            raise BehindError("left out, to catch up with the camera")
        held = self._held
        if isinstance(held, av.Packet):
            if self._is_mjpeg:
                return captured(bytes(held), at, self._limits.pixels)
            held = self._alone(held)
        if held is None:
            raise PictureError("it cannot be decoded")
        image = _upright(self._image(held), held.rotation)
        height, width = image.shape[:2]
        return Captured(image, width, height, at)

    def close(self) -> None:
        """Close the container."""
        self._container.close()
        self._on_close()

    def _next_packet(self) -> "av.Packet[VideoStream] | None":
        begun = time.monotonic()
        try:
            packet = next(self._packets, None)
            self._waited = time.monotonic() - begun
        except av.EOFError:
            return None
        except av.FFmpegError as error:
            if time.monotonic() - begun >= 0.9 * self._limits.read:
                raise CaptureError(f"no data for {self._limits.read:g} s") from None
            raise CaptureError(cause(error, self._limits.read)) from None
        if self._waited >= 0.9 * self._limits.read and not self.is_film:
            # At the timeout FFmpeg hands out what its parser held back, which is as old.
            raise CaptureError(f"no data for {self._limits.read:g} s")
        return packet

    def _leaves_out(self, packet: "av.Packet[VideoStream]") -> bool:
        """Return whether to leave out a frame of a live video, and all others up to a keyframe."""
        time = self._seconds(packet.pts)
        if self.is_film or self._is_intra or time is None:
            return False
        is_late = self._backlog.is_late(time, self._waited)
        self._is_behind = (self._is_behind or is_late) and not packet.is_keyframe
        return self._is_behind

    def _skips(self, packet: "av.Packet[VideoStream]") -> bool:
        """Return whether a packet is needed only if it is a keyframe; otherwise decode what it depends on."""
        if self._keyframes.enough(self._seconds(packet.pts), is_keyframe=packet.is_keyframe):
            if packet.is_keyframe:
                self._skipped.clear()
            self._skipped.append(packet)
            return True
        if not packet.is_keyframe:
            for earlier in self._skipped:
                self._decode(earlier)
            self._decoded.clear()
        self._skipped.clear()
        return False

    def _check_size(self, form: VideoFormat) -> None:
        """Raise `CaptureError` if a decoder would keep too much: with more than 8 bits, or all colours."""
        size, most = form.padded_bits_per_pixel * form.width * form.height // 8, self._limits.pixels
        if size > _MOST_KEPT * most and self._codec.name in _KEEPING:
            raise CaptureError(
                f"its pictures take {size / 1e6:.0f} MB each ({form.name}), expected at most"
                f" {_MOST_KEPT * most / 1e6:.0f} MB: set the camera to 8 bits or fewer pixels, or raise"
                " MAXPIXELS"
            )

    def _hold(self, held: "av.Packet[VideoStream] | av.VideoFrame") -> None:
        self._held = held
        self.time = self._seconds(held.pts)
        self.duration = self._seconds(held.duration) or self._nominal

    def _seconds(self, ticks: int | None) -> float | None:
        return None if ticks is None else ticks * self._time_base

    def _decode(self, packet: "av.Packet[VideoStream] | None") -> bool:
        """Decode a packet; return False if it is damaged."""
        try:
            with working("decode", packet.size if packet else 0):
                self._decoded += self._codec.decode(packet)
        except av.EOFError:  # the decoder was drained before
            pass
        except av.FFmpegError:
            return False
        return True

    def _alone(self, keyframe: "av.Packet[VideoStream]") -> av.VideoFrame | None:
        """Decode a frame that needs no other one."""
        try:
            self._codec.flush_buffers()
            with working("decode", keyframe.size):
                frames = [*self._codec.decode(keyframe), *self._codec.decode(None)]
            self._codec.flush_buffers()
        except av.FFmpegError:
            return None
        return frames[-1] if frames else None

    def _image(self, frame: av.VideoFrame) -> Image:
        form = (frame.format.name, frame.width, frame.height)
        if form != self._form:  # also in the middle of a video
            self._check_size(frame.format)
            self._form = form
        try:
            # More threads would cost more than they save, and so does any other way of interpolating.
            pixels = self._reformatter.reformat(frame, format="bgr24", threads=1)
        except (av.FFmpegError, ValueError):
            raise PictureError(f"its pixels cannot be converted from {frame.format.name}") from None
        return pixels.to_ndarray()  # type: ignore[return-value]  # bgr24 has 8 bits


def _is_large(codec: VideoCodecContext) -> bool:
    # A smaller picture is decoded before a second thread has woken up.
    return codec.width * codec.height > 1920 * 1088


def _counted(codec: VideoCodecContext) -> int:
    """Return how many pixels FFmpeg counts before it decodes a picture: longer rows than it has."""
    return -(-codec.width // _ROW) * _ROW * codec.height


def _stream(container: InputContainer) -> VideoStream:
    # The picture of an album in a music file is a stream of video, too.
    streams = [
        each for each in container.streams.video if not each.disposition & each.disposition.attached_pic
    ]
    if streams:
        return streams[0]
    if container.streams.audio:
        raise CaptureError("it has sound, but no video")
    raise CaptureError("it has no video")


def _upright(image: Image, rotation: int) -> Image:
    """Turn an image by a multiple of 90 degrees counterclockwise."""
    return np.rot90(image, rotation // 90) if rotation % 360 else image

"""Videos made for tests, in any codec and container that PyAV can write."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from pipeline.wire.picture import Image


def grey(level: int, width: int = 64, height: int = 48) -> Image:
    return np.full((height, width, 3), level, np.uint8)


def write(
    path: Path,
    images: Iterable[Image],
    codec: str = "libx264",
    *,
    pixels: str = "yuv420p",
    rate: int = 25,
    keyframe_every: int = 12,
    times: Iterable[float] | None = None,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    **attributes: int,
) -> Path:
    """Write a video; the container follows from the path. `times` are those of the images in s."""
    images = list(images)
    with av.open(str(path), "w", options=dict(container_options or {})) as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=rate, options=dict(options or {})))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.gop_size = keyframe_every
        stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in attributes.items():
            setattr(stream.codec_context, name, value)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * (list(times)[number] if times else number / rate))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_encrypted(folder: Path, images: Iterable[Image]) -> dict[str, bytes]:
    """Return the files of an HLS stream with AES-128: `live.m3u8`, what it names, and `stream.key`."""
    key, info = folder / "stream.key", folder / "key.info"
    key.write_bytes(b"0123456789abcdef")
    info.write_text(f"stream.key\n{key}\n")
    options = {"hls_key_info_file": str(info), "hls_time": "0", "hls_list_size": "0"}
    write(folder / "live.m3u8", images, container_options=options)
    info.unlink()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sound(path: Path) -> Path:
    """Write a second of silence without any video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path

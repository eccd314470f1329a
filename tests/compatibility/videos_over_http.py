"""Videos over HTTP, which FFmpeg reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.compatibility.cameras import web_camera
from tests.compatibility.pictures import IMAGES
from tests.compatibility.situation import Refused, Shown, Situation, Start
from tests.producer.sources import videos
from tests.producer.sources.http import web

HLS: Final = "application/vnd.apple.mpegurl"
_PLAYLIST: Final = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n"


def animated(name: str, codec: str, pixels: str, kind: str) -> Start:
    """A web server with an animated picture."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        data = videos.write(folder / name, IMAGES * 4, codec, pixels=pixels).read_bytes()
        with web_camera(web.body(data, kind))(folder) as link:
            yield link

    return start


@contextmanager
def encrypted(folder: Path, without: str = "") -> Iterator[str]:
    """An encrypted HLS stream."""
    files = videos.write_encrypted(folder, IMAGES * 10)
    kinds = {"m3u8": HLS, "ts": "video/mp2t", "key": "application/octet-stream"}
    answers = {
        f"/{name}": web.body(data, kinds[name.rpartition(".")[2]])
        for name, data in files.items()
        if name != without
    }
    with web_camera(answers, "/live.m3u8")(folder) as link:
        yield link


encrypted_without_key: Final[Start] = partial(encrypted, without="stream.key")


def large(name: str) -> Start:
    """A web server with a film that is too large for what does not send parts of it."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        data = videos.write(folder / name, IMAGES).read_bytes()
        index, size = data.rindex(b"moov") - 4, 33 << 20
        data = data[:index] + size.to_bytes(4) + b"free" + bytes(size - 8) + data[index:]
        with web_camera(web.body(data, "video/mp4"))(folder) as link:
            yield link

    return start


def served(name: str, kind: str, *, seekable: bool = True, playlist: bool = False) -> Start:
    """A web server with a film."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        data = videos.write(folder / name, IMAGES * 10).read_bytes()
        film = web.ranges(data, kind) if seekable else web.in_chunks(data, kind, 1000)
        answers = {f"/{name}": film, "/live.m3u8": web.body(_PLAYLIST, HLS)}
        path = "/live.m3u8" if playlist else f"/{name}"
        with web_camera(answers, path)(folder) as link:
            yield link

    return start


VIDEOS: Final = [
    Situation(
        "an MP4 whose index is at its end",
        served("clip.mp4", "video/mp4"),
        Shown("shown at its own speed, again and again", count=50),
    ),
    Situation(
        "an MP4 whose index is at its end, from a server that does not send parts of files",
        served("clip.mp4", "video/mp4", seekable=False),
        Shown("shown at its own speed, again and again", count=50),
    ),
    Situation(
        "such an MP4 of more than 32 MiB",
        large("clip.mp4"),
        Refused(
            "its index is at its end, behind more than 32 MiB, and its server does not send parts of a file:"
            " move the index with ffmpeg -i FILM -c copy -movflags +faststart NEW_FILM"
        ),
    ),
    Situation(
        "a film that can only be read from its start",
        served("clip.mkv", "video/x-matroska", seekable=False),
        Shown("shown at its own speed, again and again"),
    ),
    Situation(
        "live MPEG-TS",
        served("clip.ts", "video/mp2t", seekable=False),
        Shown("shown as it comes; opened again when it ends"),
    ),
    Situation(
        "live FLV",
        served("clip.flv", "video/x-flv", seekable=False),
        Shown("shown as it comes; opened again when it ends"),
    ),
    Situation(
        "HLS on the camera's host",
        served("clip.ts", "video/mp2t", playlist=True),
        Shown("shown at its own speed"),
    ),
    Situation("HLS with AES-128", encrypted, Shown("shown at its own speed")),
    Situation(
        "HLS whose key cannot be read",
        encrypted_without_key,
        Refused("the camera has nothing at this path"),
    ),
    Situation(
        "an animated GIF over HTTP",
        animated("clip.gif", "gif", "rgb8", "image/gif"),
        Shown("shown at its own speed, again and again", count=20),
    ),
    Situation(
        "an animated PNG over HTTP",
        animated("clip.apng", "apng", "rgb24", "image/png"),
        Shown("shown at its own speed, again and again", count=20),
    ),
]

"""Videos over HTTP, which FFmpeg reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.compatibility.cameras import web_camera
from tests.compatibility.pictures import IMAGES
from tests.compatibility.situation import Shown, Situation, Start
from tests.producer.sources import videos
from tests.producer.sources.http import web

_PLAYLIST: Final = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n"


def animated(name: str, codec: str, pixels: str, kind: str) -> Start:
    """A web server with an animated picture."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        data = videos.write(folder / name, IMAGES * 4, codec, pixels=pixels).read_bytes()
        with web_camera(web.body(data, kind))(folder) as link:
            yield link

    return start


def served(name: str, kind: str, *, seekable: bool = True, playlist: bool = False) -> Start:
    """A web server with a film."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        data = videos.write(folder / name, IMAGES * 10).read_bytes()
        film = web.ranges(data, kind) if seekable else web.in_chunks(data, kind, 1000)
        answers = {f"/{name}": film, "/live.m3u8": web.body(_PLAYLIST, "application/vnd.apple.mpegurl")}
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

"""Pictures over HTTP that move, and those that only FFmpeg reads."""

import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.wire.picture import PictureError
from producer.sources import http
from producer.sources.film import FilmSource
from producer.sources.http import animation
from producer.sources.http.snapshot import SnapshotSource
from producer.sources.source import Captured, CaptureError, Limits, Source
from tests.clock import Clock
from tests.producer.sources import videos
from tests.producer.sources.http import web
from tests.producer.sources.http.web import Server
from tests.producer.sources.reading import read

LEVELS = (20, 120, 220)


def opened(server: Server, interval: float = 0.04) -> Source:
    return http.open_source(f"http://{server.host}/", Limits(5, 5), interval)


def level(captured: Captured) -> int:
    assert isinstance(captured.picture, np.ndarray)
    mean = float(captured.picture.mean())
    return min(LEVELS, key=lambda each: abs(each - mean))


def gif(folder: Path, levels: tuple[int, ...] = LEVELS) -> bytes:
    return videos.write(folder / "a.gif", map(videos.grey, levels), "gif", pixels="rgb8").read_bytes()


def png(folder: Path) -> bytes:
    return videos.write(folder / "a.apng", map(videos.grey, LEVELS), "apng", pixels="rgb24").read_bytes()


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (gif, "image/gif"),
        (png, "image/apng"),
        (png, "image/png"),
        (gif, "application/octet-stream"),
        (png, ""),
    ],
)
def test_an_animated_picture_is_played_again_and_again(
    tmp_path: Path, write: Callable[[Path], bytes], kind: str
) -> None:
    with Server({"/": web.body(write(tmp_path), kind)}) as server, closing(opened(server)) as source:
        assert isinstance(source, FilmSource)
        levels = [level(read(source)) for _ in range(6)]

    assert levels == [*LEVELS, *LEVELS]


def test_a_short_animation_is_requested_at_the_pace_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(animation, "time", clock)

    with (
        Server({"/": web.body(gif(tmp_path), "image/gif")}) as server,
        closing(opened(server, interval=2)) as source,
    ):
        counts = []
        for _ in range(4):
            for _ in LEVELS:
                read(source)
            clock.now += 1
            counts.append(len(server.requests))

    assert counts == [1, 1, 2, 2]


def test_a_gif_that_does_not_move_is_a_picture_per_request(tmp_path: Path) -> None:
    data = gif(tmp_path, LEVELS[:1])

    with Server({"/": web.body(data, "image/gif")}) as server, closing(opened(server)) as source:
        assert isinstance(source, SnapshotSource)
        assert [level(read(source)) for _ in range(3)] == [20, 20, 20]
        assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["image/avif", "image/tiff", "application/octet-stream"])
@pytest.mark.parametrize("form", [".avif", ".tiff"])
def test_a_picture_that_only_ffmpeg_reads_is_repeated(form: str, kind: str) -> None:
    data = cv2.imencode(form, videos.grey(120))[1].tobytes()

    with Server({"/": web.body(data, kind)}) as server, closing(opened(server)) as source:
        assert [level(read(source)) for _ in range(3)] == [120, 120, 120]


@pytest.mark.parametrize("kind", ["image/gif", "image/svg+xml", "image/avif"])
@pytest.mark.parametrize(
    "form",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>',
    ],
)
def test_nothing_that_a_picture_names_is_read(kind: str, form: str) -> None:
    with Server({"/a.ts": web.status(404)}) as other:
        data = form.format(f"http://{other.host}/a.ts").encode()
        with Server({"/": web.body(data, kind)}) as server, pytest.raises((CaptureError, PictureError)):
            read(opened(server))

        assert other.requests == []
        assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["image/gif", "image/apng", "image/avif"])
@pytest.mark.parametrize("cut", [20, 100])
def test_a_damaged_animation_is_reported(tmp_path: Path, kind: str, cut: int) -> None:
    data = {"image/gif": gif, "image/apng": png}.get(kind, lambda _: b"....ftypavif" + bytes(200))(tmp_path)

    def play() -> None:
        with closing(opened(server)) as source:
            for _ in range(4):
                read(source)

    with (
        Server({"/": web.body(data[:cut], kind)}) as server,
        pytest.raises((CaptureError, PictureError)),
    ):
        play()


@pytest.mark.parametrize("kind", ["image/apng", "image/png", ""])
def test_an_animation_that_unpacks_to_more_than_it_needs_is_refused(tmp_path: Path, kind: str) -> None:
    data = png(tmp_path)
    at = data.index(b"fdAT") + 8
    length = int.from_bytes(data[at - 12 : at - 8]) - 4
    much = zlib.compress(bytes(10_000_000))
    data = data[: at - 12] + (len(much) + 4).to_bytes(4) + data[at - 8 : at] + much + data[at + length :]

    with (
        Server({"/": web.body(data, kind)}) as server,
        pytest.raises(CaptureError, match="the camera sends a PNG that unpacks to more"),
    ):
        opened(server)

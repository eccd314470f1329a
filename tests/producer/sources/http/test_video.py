"""Films, playlists and live video over HTTP, which FFmpeg reads through our own requests."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from producer.sources import http
from producer.sources.film import FilmSource
from producer.sources.source import Captured, CaptureError, Limits, Source
from producer.sources.stream import StreamSource
from tests.producer.sources import videos
from tests.producer.sources.http import web
from tests.producer.sources.http.web import Server
from tests.producer.sources.reading import read

LEVELS = list(range(20, 240, 20))
HLS = "application/vnd.apple.mpegurl"
LIVE = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.01,\n{}\n"
PLAYLIST = LIVE + "#EXT-X-ENDLIST\n"


def opened(server: Server, path: str, user: str = "", timeout: float = 5) -> Source:
    return http.open_source(f"http://{user}{server.host}{path}", Limits(timeout, timeout), 0.04)


def level(captured: Captured) -> int:
    assert isinstance(captured.picture, np.ndarray)
    return min(LEVELS, key=lambda grey: abs(grey - float(captured.picture.mean())))  # type: ignore[union-attr]


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    """An MP4 whose index follows the pictures."""
    return videos.write(tmp_path / "clip.mp4", map(videos.grey, LEVELS)).read_bytes()


@pytest.fixture
def segment(tmp_path: Path) -> bytes:
    return videos.write(tmp_path / "clip.ts", map(videos.grey, LEVELS)).read_bytes()


def test_a_film_plays_at_its_own_speed_and_starts_over(film: bytes) -> None:
    with (
        Server({"/a.mp4": web.ranges(film, "video/mp4")}) as server,
        closing(opened(server, "/a.mp4")) as source,
    ):
        assert isinstance(source, FilmSource)
        levels = [level(read(source)) for _ in range(2 * len(LEVELS))]

    assert levels == LEVELS * 2
    assert source.interval == pytest.approx(0.04)


def test_a_film_that_must_be_read_from_the_start_is_read_if_possible(tmp_path: Path) -> None:
    data = videos.write(tmp_path / "clip.mkv", map(videos.grey, LEVELS)).read_bytes()

    with Server({"/": web.body(data, "video/x-matroska")}) as server, closing(opened(server, "/")) as source:
        assert [level(read(source)) for _ in LEVELS] == LEVELS


def test_live_video_is_read_as_it_comes(segment: bytes) -> None:
    with (
        Server({"/": web.in_chunks(segment, "video/mp2t", 188)}) as server,
        closing(opened(server, "/")) as source,
    ):
        assert isinstance(source, StreamSource)
        levels = [level(read(source)) for _ in LEVELS]
        with pytest.raises(CaptureError, match="ended the video"):
            source.grab()

    assert levels == LEVELS


def test_a_password_and_redirections_serve_films_as_well(film: bytes) -> None:
    protected = web.digest("joe", "p#ss", web.ranges(film, "video/mp4"))
    answers = {"/": web.moved("/b/a.mp4"), "/b/a.mp4": protected}

    with Server(answers) as server, closing(opened(server, "/", "joe:p%23ss@")) as source:
        assert level(read(source)) == LEVELS[0]


@pytest.mark.parametrize("name", ["clip.ts", "/live/clip.ts", "http://{host}/live/clip.ts"])
def test_a_playlist_on_the_cameras_host_is_read(segment: bytes, name: str) -> None:
    answers = {"/live/clip.ts": web.body(segment, "video/mp2t")}
    with Server(answers) as server:
        playlist = PLAYLIST.format(name.format(host=server.host)).encode()
        server.answers = {**answers, "/live/a.m3u8": web.body(playlist, HLS)}
        with closing(opened(server, "/live/a.m3u8")) as source:
            assert isinstance(source, FilmSource)
            assert [level(read(source)) for _ in LEVELS] == LEVELS


@pytest.mark.parametrize(
    "name",
    [
        "http://localhost:{port}/clip.ts",
        "//localhost:{port}/clip.ts",
        "file://{path}",
        "{path}",
        "concat:{path}|{path}",
        "subfile,,start,0,end,0,,:{path}",
        "data:video/mp2t;base64,AAAA",
        "rtsp://localhost:{port}/clip.ts",
        "tcp://localhost:{port}",
        "crypto:file://{path}",
    ],
)
@pytest.mark.parametrize(("form", "kind"), [(PLAYLIST, HLS), (PLAYLIST, "video/mp4"), (LIVE, HLS)])
def test_nothing_else_that_a_playlist_names_is_read(
    segment: bytes, tmp_path: Path, name: str, form: str, kind: str
) -> None:
    local = tmp_path / "clip.ts"
    with Server({"/clip.ts": web.body(segment, "video/mp2t")}) as other:
        playlist = form.format(name.format(port=other.server_address[1], path=local)).encode()
        with Server({"/a.m3u8": web.body(playlist, kind)}) as server, pytest.raises(CaptureError):
            read(opened(server, "/a.m3u8", timeout=0.5 if form == LIVE else 5))

    assert other.requests == []


def test_a_live_playlist_without_its_videos_is_reported() -> None:
    answers = {"/a.m3u8": web.body(LIVE.format("gone.ts").encode(), HLS)}

    with Server(answers) as server, pytest.raises(CaptureError, match="nothing at this path"):
        opened(server, "/a.m3u8", timeout=0.5)


@pytest.mark.parametrize("path", ["/a.m3u8", "/live"])
def test_a_playlist_of_playlists_is_read(segment: bytes, path: str) -> None:
    answers = {
        path: web.body(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n", HLS),
        "/media.m3u8": web.body(PLAYLIST.format("clip.ts").encode(), HLS),
        "/clip.ts": web.body(segment, "video/mp2t"),
    }

    with Server(answers) as server, closing(opened(server, path)) as source:
        assert [level(read(source)) for _ in LEVELS] == LEVELS


@pytest.mark.parametrize(
    "data",
    [
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"v=0\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5000 RTP/AVP 96\r\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
    ],
)
def test_other_lists_are_refused(data: bytes) -> None:
    with Server({"/x": web.body(data, "application/sdp")}) as server, pytest.raises(CaptureError):
        opened(server, "/x")


def test_sound_alone_is_said(tmp_path: Path) -> None:
    data = videos.sound(tmp_path / "clip.m4a").read_bytes()

    with (
        Server({"/x": web.ranges(data, "audio/mp4")}) as server,
        pytest.raises(CaptureError, match="sound, but no video"),
    ):
        opened(server, "/x")

"""Films, playlists and live video over HTTP, which FFmpeg reads through our own requests."""

import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from producer.sources import http
from producer.sources.film import FilmSource
from producer.sources.source import Captured, CaptureError, EndedError, Limits, Source
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


def test_live_video_that_ends_is_asked_for_again_after_a_short_pause(segment: bytes) -> None:
    with (
        Server({"/": web.in_chunks(segment, "video/mp2t", 188)}) as server,
        closing(opened(server, "/")) as source,
    ):
        for _ in LEVELS:
            source.grab()
        with pytest.raises(EndedError) as caught:
            source.grab()

    assert 0 < caught.value.retry_after <= 1


@pytest.mark.parametrize("path", ["/a.mp4", "/a.m3u8"])
def test_each_answer_may_take_as_long_as_opening_until_the_first_frame(
    film: bytes, segment: bytes, path: str
) -> None:
    def slow(then: web.Answer) -> web.Answer:
        def answer(request: web.Request) -> None:
            time.sleep(0.4)
            then(request)

        return answer

    answers = {
        "/a.mp4": slow(web.ranges(film, "video/mp4")),
        "/a.m3u8": slow(web.body(PLAYLIST.format("clip.ts").encode(), HLS)),
        "/clip.ts": slow(web.body(segment, "video/mp2t")),
    }
    with Server(answers) as server:
        source = http.open_source(f"http://{server.host}{path}", Limits(5, 0.1), 0.04)
        with closing(source):
            assert [level(read(source)) for _ in LEVELS] == LEVELS


def test_a_password_and_redirections_serve_films_as_well(film: bytes) -> None:
    protected = web.digest("joe", "p#ss", web.ranges(film, "video/mp4"))
    answers = {"/": web.moved("/b/a.mp4"), "/b/a.mp4": protected}

    with Server(answers) as server, closing(opened(server, "/", "joe:p%23ss@")) as source:
        assert level(read(source)) == LEVELS[0]


def without_parts(data: bytes, kind: str) -> web.Answer:
    return web.in_chunks(data, kind, 1000)


def without_the_parts_that_it_offers(data: bytes, kind: str) -> web.Answer:
    return web.body(data, kind, Accept_Ranges="bytes")


def with_parts_that_it_does_not_offer(data: bytes, kind: str) -> web.Answer:
    def answer(request: web.Request) -> None:
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        request.send(206 if start else 200, data[start:], Content_Type=kind)

    return answer


SERVERS = [without_parts, web.body, without_the_parts_that_it_offers, with_parts_that_it_does_not_offer]
NOISE = 400_000  # bytes that make a film longer than what is read at once


def with_noise(film: bytes) -> bytes:
    """Add bytes that are skipped to a film whose index is at its end, in front of the index."""
    index = film.rindex(b"moov") - 4
    return film[:index] + NOISE.to_bytes(4) + b"free" + bytes(NOISE - 8) + film[index:]


@pytest.mark.parametrize("serve", SERVERS)
@pytest.mark.parametrize("is_long", [False, True])
def test_a_film_whose_index_is_at_its_end_is_played_from_any_server(
    film: bytes, serve: Callable[[bytes, str], web.Answer], is_long: bool
) -> None:
    answer = serve(with_noise(film) if is_long else film, "video/mp4")

    with Server({"/": answer}) as server, closing(opened(server, "/")) as source:
        assert isinstance(source, FilmSource)
        levels = [level(read(source)) for _ in range(2 * len(LEVELS))]

    assert levels == LEVELS * 2


@pytest.mark.parametrize("serve", SERVERS)
def test_a_long_film_with_its_index_at_its_end_needs_a_server_that_sends_parts(
    film: bytes, serve: Callable[[bytes, str], web.Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["producer.sources.http.body"], "LARGEST_PART", NOISE)

    with Server({"/": serve(with_noise(film), "video/mp4")}) as server:
        if serve is with_parts_that_it_does_not_offer:
            with closing(opened(server, "/")) as source:
                assert level(read(source)) == LEVELS[0]
            return
        for _ in range(3):
            with pytest.raises(CaptureError, match=r"index is at its end.* -movflags \+faststart"):
                opened(server, "/")


def test_a_film_with_its_index_at_its_end_that_trickles_in_is_given_up(film: bytes) -> None:
    def answer(request: web.Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "video/mp4")
        request.end_headers()
        request.wfile.write(film[:300])
        while True:
            request.wfile.write(b"x")
            time.sleep(0.05)

    with (
        Server({"/": answer}) as server,
        pytest.raises(CaptureError, match=r"not complete within 0\.5 s"),
    ):
        opened(server, "/", timeout=0.5)


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


def served(files: dict[str, bytes]) -> dict[str, web.Answer]:
    kinds = {"m3u8": HLS, "ts": "video/mp2t", "key": "application/octet-stream"}
    return {f"/{name}": web.body(data, kinds[name.rpartition(".")[2]]) for name, data in files.items()}


def test_an_encrypted_stream_is_played(tmp_path: Path) -> None:
    files = videos.write_encrypted(tmp_path, map(videos.grey, LEVELS * 3))

    with Server(served(files)) as server, closing(opened(server, "/live.m3u8")) as source:
        levels = [level(read(source)) for _ in LEVELS * 3]

    assert len(files) > 3, "several parts"
    assert levels == LEVELS * 3


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("http://localhost:{port}/stream.key", "refers to another host"),
        ("file://{path}", "the key is wrong, or not on the camera's host"),
        ("{path}", "nothing at this path"),
        ("data:;base64,MDEyMzQ1Njc4OWFiY2RlZg==", "the key is wrong, or not on the camera's host"),
        ("skd://licence", "the key is wrong, or not on the camera's host"),
        ("gone.key", "nothing at this path"),
    ],
)
def test_a_key_obeys_the_rules_of_what_a_playlist_names(tmp_path: Path, uri: str, text: str) -> None:
    files = videos.write_encrypted(tmp_path, map(videos.grey, LEVELS))
    with Server(served(files)) as other:
        named = uri.format(port=other.server_address[1], path=tmp_path / "stream.key").encode()
        files["live.m3u8"] = files["live.m3u8"].replace(b"stream.key", named)
        with Server(served(files)) as server, pytest.raises(CaptureError, match=text):
            opened(server, "/live.m3u8")

    assert other.requests == []


def test_a_key_on_a_host_that_is_allowed_is_read(tmp_path: Path) -> None:
    files = videos.write_encrypted(tmp_path, map(videos.grey, LEVELS))
    with Server(served(files)) as other:
        named = f"http://localhost:{other.server_address[1]}/stream.key".encode()
        files["live.m3u8"] = files["live.m3u8"].replace(b"stream.key", named)
        limits = Limits(5, 5, frozenset({"localhost"}))
        with (
            Server(served(files)) as server,
            closing(http.open_source(f"http://{server.host}/live.m3u8", limits)) as source,
        ):
            assert level(read(source)) == LEVELS[0]


@pytest.mark.exceeds("producer.sources.http.body._LARGEST_ENCRYPTED")
def test_what_is_encrypted_in_large_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = videos.write_encrypted(tmp_path, map(videos.grey, LEVELS))
    largest = max(len(data) for name, data in files.items() if name.endswith(".ts"))

    with Server(served(files)) as server:
        monkeypatch.setattr(sys.modules["producer.sources.http.body"], "_LARGEST_ENCRYPTED", largest)
        with closing(opened(server, "/live.m3u8")) as source:
            assert level(read(source)) == LEVELS[0]
        monkeypatch.setattr(sys.modules["producer.sources.http.body"], "_LARGEST_ENCRYPTED", largest - 1)
        with pytest.raises(CaptureError, match="encrypted in parts of more"):
            opened(server, "/live.m3u8")


def test_encrypted_parts_of_one_file_are_played(tmp_path: Path) -> None:
    files = videos.write_encrypted(tmp_path, map(videos.grey, LEVELS * 3))
    playlist, whole = files["live.m3u8"].decode(), b""
    names = [line for line in playlist.splitlines() if line.endswith(".ts")]
    for name in names:
        playlist = playlist.replace(name, f"#EXT-X-BYTERANGE:{len(files[name])}@{len(whole)}\nall.ts")
        whole += files[name]
    answers = served({"live.m3u8": playlist.encode(), "stream.key": files["stream.key"]})

    with (
        Server(answers | {"/all.ts": web.ranges(whole, "video/mp2t")}) as server,
        closing(opened(server, "/live.m3u8")) as source,
    ):
        levels = [level(read(source)) for _ in LEVELS * 3]

    assert len(names) > 1
    assert levels == LEVELS * 3


def test_a_wrong_key_is_reported(tmp_path: Path) -> None:
    files = videos.write_encrypted(tmp_path, map(videos.grey, LEVELS)) | {"stream.key": b"fedcba9876543210"}

    with Server(served(files)) as server, pytest.raises(CaptureError, match="key is wrong"):
        opened(server, "/live.m3u8")


def test_a_part_of_a_file_is_read_from_its_beginning(tmp_path: Path, segment: bytes) -> None:
    other = videos.write(tmp_path / "other.ts", map(videos.grey, LEVELS[::-1])).read_bytes()
    part = f"#EXT-X-BYTERANGE:{len(other)}@{len(segment)}\nclip.ts"
    answers = {"/a.m3u8": web.body(PLAYLIST.format(part).encode(), HLS)}

    with (
        Server(answers | {"/clip.ts": web.ranges(segment + other, "video/mp2t")}) as server,
        closing(opened(server, "/a.m3u8")) as source,
    ):
        assert [level(read(source)) for _ in LEVELS] == LEVELS[::-1]

    with (
        Server(answers | {"/clip.ts": web.body(segment + other, "video/mp2t")}) as server,
        pytest.raises(CaptureError, match="does not send the parts"),
    ):
        opened(server, "/a.m3u8")


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

"""Where cameras over HTTP may lead: redirections, playlists, and names that stand for other addresses."""

import socket
from contextlib import closing
from typing import Any

import pytest

from pipeline.service.values import Address
from producer.sources import http
from producer.sources.http.snapshot import SnapshotSource
from producer.sources.source import CaptureError, Limits
from tests.producer.sources.http import web
from tests.producer.sources.http.web import Server
from tests.producer.sources.reading import jpegs, read

JPEG = jpegs()[0]
HLS = "application/vnd.apple.mpegurl"


def refusal(link: str, limits: Limits) -> str:
    with pytest.raises(CaptureError) as caught:
        http.open_source(link, limits)
    return str(caught.value)


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("http://169.254.169.254/latest", "redirects to 169.254.169.254, where a cloud keeps its metadata"),
        ("http://[::ffff:169.254.169.254]/", "where a cloud keeps its metadata"),
        ("http://169.254.3.4/", "redirects to 169.254.3.4, a link-local address"),
        ("http://0.0.0.0/", "redirects to 0.0.0.0, an address of this machine"),
        ("https://[::1]/", "redirects to ::1, an address of this machine"),
        ("http://127.1/", "redirects to another host"),
        ("gopher://127.0.0.1/", "redirects to a URL with gopher://, expected http:// or https://"),
        ("file:///etc/passwd", "redirects to a URL with file://, expected http:// or https://"),
        ("http://[::ffff:127.0.0.2]/", "redirects to 127.0.0.2, an address of this machine"),
        ("http://127.0.0.1:99999/", "redirects to nowhere"),
    ],
)
def test_a_redirection_that_leads_too_far_is_named(location: str, text: str) -> None:
    with Server({"/": web.moved(location)}) as server:
        assert text in refusal(f"http://{server.host}/", Limits(5, 5))


@pytest.mark.parametrize("user", ["", "joe:secret@"])
def test_a_redirection_to_our_own_service_on_the_cameras_host_is_refused(user: str) -> None:
    with Server({"/": web.body(JPEG, "image/jpeg")}) as ours:
        moved = web.moved(f"http://127.0.0.1:{ours.server_address[1]}/")
        limits = Limits(5, 5, services=(Address("", ours.server_address[1]),))
        with Server({"/": web.basic("joe", "secret", moved) if user else moved}) as server:
            text = refusal(f"http://{user}{server.host}/", limits)

        assert text.endswith("of 127.0.0.1, a service of Streamlens itself")
        assert ours.requests == []


def test_our_own_service_is_not_a_camera_either() -> None:
    with Server({"/": web.body(JPEG, "image/jpeg")}) as ours:
        limits = Limits(5, 5, services=(Address("127.0.0.1", ours.server_address[1]),))

        assert "a service of Streamlens itself" in refusal(f"http://{ours.host}/", limits)
        assert ours.requests == []


@pytest.mark.parametrize("name", ["clip.ts", "stream.key", "init.mp4", "media.m3u8"])
def test_what_a_playlist_names_on_our_own_service_is_not_read(name: str) -> None:
    with Server({}) as ours:
        target = f"http://127.0.0.1:{ours.server_address[1]}/{name}"
        lines = {
            "stream.key": f'#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:1,\nclip.ts\n',
            "init.mp4": f'#EXT-X-MAP:URI="{target}"\n#EXTINF:1,\nclip.ts\n',
            "media.m3u8": f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n",
        }.get(name, f"#EXTINF:1,\n{target}\n")
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{lines}#EXT-X-ENDLIST\n".encode()
        limits = Limits(5, 5, services=(Address("", ours.server_address[1]),))
        with Server({"/a.m3u8": web.body(playlist, HLS)}) as server:
            refusal(f"http://{server.host}/a.m3u8", limits)

            assert ours.requests == []
            assert server.requests


@pytest.mark.parametrize(
    "playlist",
    [
        b"<?xml version='1.0'?><playlist xmlns='http://xspf.org/ns/0/'><trackList><track>"
        b"<location>%b</location></track></trackList></playlist>",
        b"[playlist]\nFile1=%b\nNumberOfEntries=1\n",
        b"[Reference]\nRef1=%b\n",
        b"<ASX version='3'><Entry><Ref href='%b'/></Entry></ASX>",
        b"<smil><body><video src='%b'/></body></smil>",
        b"ffconcat version 1.0\nfile %b\n",
        b"#EXTM3U\n%b\n",
        b"RTSPtext %b",
        b"%b",
    ],
)
@pytest.mark.parametrize(
    "kind", ["application/xspf+xml", "audio/x-scpls", "video/x-ms-asf", "video/mp4", "application/sdp", ""]
)
def test_other_playlists_are_not_followed(playlist: bytes, kind: str) -> None:
    with Server({"/clip": web.body(JPEG, "image/jpeg")}) as other:
        text = playlist % f"http://localhost:{other.server_address[1]}/clip".encode()
        with Server({"/": web.body(text, kind)}) as server:
            refusal(f"http://{server.host}/", Limits(5, 5))

        assert other.requests == []


class Names:
    """Looks names up in a table whose answers may change from one look-up to the next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **table: list[str]) -> None:
        self.table = table
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, *arguments: Any, **options: Any) -> Any:
        addresses = self.table.get(str(host).replace(".", "_"))
        if addresses is None:
            return self._real(host, *arguments, **options)
        return self._real(addresses.pop(0), *arguments, **options)


def test_a_name_that_stands_for_another_address_later_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(request: web.Request) -> None:
        request.close_connection = True
        request.send(200, JPEG, Content_Type="image/jpeg", Connection="close")

    with Server({"/": answer}) as server:
        names = Names(monkeypatch, camera_localhost=["127.0.0.1", "169.254.169.254"])
        link = f"http://camera.localhost:{server.server_address[1]}/"
        with closing(http.open_source(link, Limits(5, 5))) as source:
            assert isinstance(source, SnapshotSource)
            assert read(source).picture == JPEG
            with pytest.raises(CaptureError, match=r"leads to 169\.254\.169\.254, where a cloud"):
                source.grab()

        assert len(server.requests) == 1
    assert names.table["camera_localhost"] == []


def test_a_name_that_stands_for_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server({"/": web.body(JPEG, "image/jpeg")}) as server:
        Names(monkeypatch, camera_example=["127.0.0.1"])

        text = refusal(f"http://camera.example:{server.server_address[1]}/", Limits(5, 5))

        assert text == (
            "it leads to 127.0.0.1, an address of this machine:"
            " if that is meant, write this address in the link or REDIRECTHOSTS"
        )
        assert server.requests == []


def test_a_host_in_redirecthosts_may_not_stand_for_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, nvr_local=["169.254.169.254"])
    with Server({"/": web.moved("http://nvr.local/")}) as server:
        text = refusal(f"http://{server.host}/", Limits(5, 5, frozenset({"nvr.local"})))

    assert "where a cloud keeps its metadata" in text


def test_metadata_is_not_requested_through_a_proxy_either(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server({}) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        for name in "no_proxy", "NO_PROXY":
            monkeypatch.delenv(name, raising=False)

        assert "metadata" in refusal("http://169.254.169.254/latest", Limits(5, 5))
        assert proxy.requests == []

"""Cameras that come and go: what clients see, and that nothing of them remains."""

import gc
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from prometheus_client import REGISTRY
from websockets.sync.client import ClientConnection, connect

from pipeline.wire.predictions import Prediction, Result
from tests.parts import wait_for
from tests.video.fakes import Site, a_frame, by_length, grey
from tests.video.streams.socket.fakes import picture_of
from video.cameras.camera import Camera
from video.streams.client import StreamClient
from video.streams.mjpeg.broadcast import Broadcast
from video.streams.socket.feed import Feed
from video.streams.socket.viewer import Viewer

BIG = grey(640, 480)
KINDS = (Camera, Broadcast, StreamClient, Feed)


def forget(site: Site, *names: str) -> None:
    """Forget cameras, as the reader does, and wait until that is done."""
    for name in names:
        site.ledger.forget(name)
        site.cameras.forget(name)
    site.sync()


@contextmanager
def a_tab(site: Site, **widths: int) -> Iterator[ClientConnection]:
    """Open a socket that watches cameras."""
    with connect(f"ws://127.0.0.1:{site.port}/ws", compression=None) as tab:
        tab.send(json.dumps({"type": "watch", "cameras": widths}))
        yield tab


def listed(tab: ClientConnection) -> list[str]:
    """Return the names in the next list of cameras."""
    while True:
        message = tab.recv(20)
        if isinstance(message, str) and (text := json.loads(message))["type"] == "cameras":
            return [camera["name"] for camera in text["cameras"]]


def test_a_stream_of_a_forgotten_camera_ends_after_a_whole_part(site: Site) -> None:
    site.show(a_frame(1), a_frame(1, camera="yard"))

    with site.ask("/stream/door") as answer:
        parts = by_length(answer, b"frame")
        first = next(parts)
        forget(site, "door")

        rest = list(parts)

    assert first.headers["x-seq"] == "1"
    assert rest == []


@pytest.mark.parametrize("path", ["/stream/door", "/snapshot/door.jpg", "/api/cameras/door"])
def test_a_forgotten_camera_is_a_404_until_it_comes_back(site: Site, path: str) -> None:
    site.show(a_frame(1), a_frame(1, camera="yard"))
    forget(site, "door")

    with site.ask(path) as answer:
        status, text = answer.status, answer.read().decode()
    site.show(a_frame(2))
    with site.ask(path) as answer:
        back = answer.status

    assert status == 404
    assert "yard" in text
    assert back == 200


def test_its_events_and_their_pictures_are_404s(site: Site) -> None:
    site.show(a_frame(1, predictions=(Prediction("imagenet_1", (Result("tench", 0.9),), 1, 40),)))
    (event,) = json.loads(site.get("/api/labels")[1])

    forget(site, "door")

    assert site.get("/api/labels") == (200, b"[]")
    assert site.get(event["snapshot"])[0] == 404


def test_browsers_get_the_list_without_it_and_its_pictures_once_it_is_back(site: Site) -> None:
    site.show(a_frame(1), a_frame(1, camera="yard"))

    with a_tab(site, door=0) as tab:
        assert listed(tab) == ["door", "yard"]
        before = picture_of(tab.recv(20))  # type: ignore[arg-type]
        forget(site, "door")
        wait_for(lambda: listed(tab) == ["yard"], 20, "the list without it")
        site.show(a_frame(2))
        after = wait_for(lambda: isinstance(message := tab.recv(20), bytes) and message, 20, "its picture")
        assert listed(tab) == ["door", "yard"]

    assert (before.seq, picture_of(after).seq) == (1, 2)


def visit(site: Site, tab: ClientConnection, names: list[str]) -> None:
    """Let cameras come, be watched, and go."""
    label = (Prediction("imagenet_1", (Result("tench", 0.9),), 1, 40),)
    site.show(*(a_frame(1, camera=name, jpeg=BIG, predictions=label) for name in names))
    with ExitStack() as stack:
        streams = [stack.enter_context(site.ask(f"/stream/{name}")) for name in names[:5]]
        tab.send(json.dumps({"type": "watch", "cameras": dict.fromkeys(names, 64) | {names[0]: 0}}))
        wait_for(lambda: isinstance(tab.recv(20), bytes), 20, "a picture")
        site.show(*(a_frame(2, camera=name, jpeg=b"broken") for name in names))
        forget(site, *names)
        for stream in streams:
            stream.read()
    wait_for(lambda: listed(tab) == ["stays"], 20, "the list without them")


def sizes(site: Site) -> dict[str, int]:
    """Return how many items each structure of the server holds, and how many objects there are."""
    cameras, history = site.cameras, site.web.history
    gc.collect()
    objects = gc.get_objects()
    (viewer,) = (each for each in objects if isinstance(each, Viewer))
    return {
        "cameras": len(cameras._cameras),
        "waiting frames": len(cameras._frames._slots),
        "listeners": len(cameras._listeners),
        "names to forget": len(cameras._to_forget),
        "cameras with labels": len(history._cameras),
        "forgotten cameras": len(history._forgotten),
        "snapshots": len(history._snapshots._kept),
        "bytes of snapshots": history._snapshots.bytes,
        "clients": len(site.web.clients._open),
        "accounts": len(site.ledger._accounts),
        "feeds of the socket": len(viewer._feeds) + len(viewer._ready),
        "pictures of the socket": len(viewer._numbers) + len(viewer._window._in_flight),
        "pictures in flight": viewer._window._count,
        "samples": sum(len(metric.samples) for metric in REGISTRY.collect()),
        **{kind.__name__: sum(isinstance(each, kind) for each in objects) for kind in KINDS},
    }


def test_three_hundred_cameras_come_and_go_and_nothing_grows(site: Site) -> None:
    site.show(a_frame(1, camera="stays"))

    with a_tab(site) as tab:
        visit(site, tab, [f"first-{number}" for number in range(300)])
        first = wait_for(lambda: settled(site), 20, "the end of the streams")
        visit(site, tab, [f"second-{number}" for number in range(300)])
        second = wait_for(lambda: settled(site), 20, "the end of the streams")

    assert second == first
    assert (first["cameras"], first["cameras with labels"]) == (1, 1)
    assert first["Feed"] == first["Broadcast"] == first["StreamClient"] == first["pictures in flight"] == 0


def settled(site: Site) -> dict[str, int] | None:
    """Return the sizes once the streams are closed, and no loop is at a camera that is gone."""
    found = sizes(site)
    # By name: other tests may keep cameras of their own.
    names = {each.name for each in gc.get_objects() if isinstance(each, Camera)}
    is_gone = not any(name.startswith(("first-", "second-")) for name in names)
    is_settled = found["clients"] == 1 and is_gone and not found["Broadcast"] and not found["Feed"]
    return found if is_settled else None

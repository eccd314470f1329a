"""Previews: seen by those who may change cameras, by their exact names, until they end."""

import http.client
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from compose.broker import Broker
from pipeline.access.write_token import WriteAccess
from pipeline.cameras.record import CameraRecord
from pipeline.cameras.topic import CameraTopic
from tests.video.changing import ELSEWHERE, LINK, Changing, changing, until
from tests.video.fakes import a_frame
from video.api.previews import MOST_PREVIEWS

TOKEN = "a-token-of-24-characters"
LEFT_OVER = "preview-00000000000000ff"


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker with the topic."""
    with Broker({"cameras": 1}) as broker:
        yield broker


@pytest.fixture
def site(broker: Broker, page: Path) -> Iterator[Changing]:  # noqa: ARG001
    """A server without cameras."""
    with changing(broker, writes=WriteAccess(TOKEN)) as site:
        yield site


def open_one(site: Changing) -> str:
    """Open a preview, and return its name."""
    said = site.send("POST", "/api/previews", {"link": LINK, "rotate": 90})
    assert said.status == 201
    assert time.time() < said.body["until"] < time.time() + 120
    return str(said.body["name"])


def test_only_those_who_may_change_cameras_see_it_and_only_by_its_name(site: Changing) -> None:
    name = open_one(site)
    before = len(site.web.history.select(lambda _: True, 10))
    site.show(a_frame(7, camera=name), a_frame(7, camera="door"))

    assert site.names() == ["door"]
    assert site.send("GET", f"/api/cameras/{name}").body["state"] == "live"
    assert site.send("GET", f"/api/cameras/{name}", **ELSEWHERE).status == 404
    assert site.get(f"/snapshot/{name}.jpg")[0] == 200
    assert site.get(f"/snapshot/{name}.jpg", **ELSEWHERE)[0] == 404
    with site.ask("/snapshot/yard.jpg") as answer:
        assert name.encode() not in answer.read()
    assert len(site.web.history.select(lambda _: True, 10)) == before
    assert site.web.history._cameras.keys() == {"door"}


def test_it_is_not_the_first_stream(site: Changing) -> None:
    name = open_one(site)
    site.show(a_frame(7, camera=name), a_frame(9, camera="yard"))

    with site.ask("/stream") as answer:
        text = b"".join(answer.readline() for _ in range(8))

    assert b"X-Seq: 9" in text


def test_its_stream_ends_with_it(site: Changing) -> None:
    name = open_one(site)
    site.show(a_frame(7, camera=name))
    stream = site.ask(f"/stream/{name}")
    assert stream.status == 200

    assert site.send("DELETE", f"/api/previews/{name}").status == 204

    with suppress(http.client.IncompleteRead):
        stream.read()
    assert site.send("GET", f"/api/cameras/{name}").status == 404
    assert site.send("DELETE", f"/api/previews/{name}").status == 404
    site.show(a_frame(8, camera=name))
    assert site.send("GET", f"/api/cameras/{name}").status == 404, "a late frame"
    assert site.frames.forgotten.count(name) == 2


@pytest.mark.exceeds("video.api.previews.MOST_PREVIEWS")
def test_there_are_only_a_few_at_a_time(site: Changing) -> None:
    names = [open_one(site) for _ in range(MOST_PREVIEWS)]

    said = site.send("POST", "/api/previews", {"link": LINK})
    assert said.status == 429
    assert 1 <= int(said.headers["retry-after"]) <= 90

    assert site.send("DELETE", f"/api/previews/{names[0]}").status == 204
    open_one(site)


def test_one_that_a_server_has_left_behind_is_removed(site: Changing, broker: Broker) -> None:
    other = CameraTopic(broker.bootstrap, "cameras", {}, fetch_wait=0.005)
    other.put(LEFT_OVER, CameraRecord(link=LINK, until=time.time() - 60))
    other.put("preview-00000000000000aa", CameraRecord(link=LINK, until=time.time() + 60))
    while other._records.unsent:
        other.step()
    other.close()

    until(lambda: "preview-00000000000000aa" in site.directory.records, "the previews")
    until(lambda: LEFT_OVER not in site.directory.records, "its end")
    assert "preview-00000000000000aa" in site.directory.records
    assert site.names() == []


def test_it_is_no_camera(site: Changing) -> None:
    name = open_one(site)

    assert site.send("DELETE", f"/api/cameras/{name}").status == 404
    assert site.send("PUT", f"/api/cameras/{name}", {"link": LINK}).status == 400
    assert site.send("DELETE", "/api/previews/door").status == 404
    assert site.send("POST", "/api/previews", {"link": LINK, "group": "x"}).status == 400
    assert site.send("POST", "/api/previews", {"link": "0"}).status == 400

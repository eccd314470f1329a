"""Two models label one camera: each stream's pictures have the label of its own model only."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.parts import get, wait_for
from tests.two_models import MODELS, TwoModels, two_models

pytestmark = pytest.mark.parts

ENOUGH = 20  # pictures of each stream


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoModels]:
    """The system, with a camera whose name has a colon and a slash."""
    with two_models(tmp_path_factory.mktemp("two"), ["door", "10.0.0.7:8554/a"]) as system:
        yield system


@contextmanager
def watching(system: TwoModels, stream: str, **options: Any) -> Iterator[ClientConnection]:
    """Open a stream's WebSocket."""
    there = system.address.replace("http", "ws") + stream
    with connect(there, open_timeout=20, close_timeout=5, **options) as client:
        yield client


def streams(system: TwoModels) -> list[str]:
    """Return the ids of the streams."""
    found: list[str] = json.loads(get(f"{system.address}api/streams"))["streams"]
    return found


def picture(client: ClientConnection) -> bytes:
    """Return the next picture."""
    message = client.recv(30)
    assert isinstance(message, bytes)
    return message


def test_the_streams_are_listed(system: TwoModels) -> None:
    expected = [
        f"{camera}:{model}:inferred" for camera in ("10.0.0.7%3A8554%2Fa", "door") for model in MODELS
    ]

    wait_for(lambda: streams(system) == expected, 60, "all streams to be listed")
    assert json.loads(get(f"{system.address}api/stream")) == {"streams": expected}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("camera", ["door", "10.0.0.7%3A8554%2Fa"], ids=["plain", "encoded"])
def test_each_has_the_label_of_its_own_model_only(system: TwoModels, camera: str, model: str) -> None:
    (other,) = MODELS.keys() - {model}
    seen: list[bytes] = []
    with watching(system, f"{camera}:{model}:inferred") as client:
        deadline = time.monotonic() + 60
        # Until the first answers come, and again if one takes long, its text is another.
        while len(system.pictures[model].intersection(seen)) < ENOUGH:
            assert time.monotonic() < deadline
            seen.append(picture(client))

    assert not system.pictures[other].intersection(seen)
    assert not system.together.intersection(seen)


def test_the_page_s_picture_has_both(system: TwoModels) -> None:
    wait_for(
        lambda: get(f"{system.address}snapshot/door.jpg") in system.together, 60, "both labels on a picture"
    )


def test_a_viewer_that_does_not_read_holds_up_nobody(system: TwoModels) -> None:
    def skipped() -> float:
        return system.video.metric('streamlens_socket_pictures_skipped_total{camera="door"}')

    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    parts = urlsplit(system.address)
    lazy.connect((parts.hostname, parts.port))
    stream = "door:imagenet_1:inferred"
    with watching(system, stream, sock=lazy, max_queue=1) as slow, watching(system, stream) as quick:
        picture(slow)
        before, seen = skipped(), 0
        deadline = time.monotonic() + 60
        while skipped() < before + ENOUGH:
            assert time.monotonic() < deadline
            picture(quick)
            seen += 1

    assert seen >= ENOUGH
    assert system.video.metric("streamlens_pictures_not_separated_total") == 0

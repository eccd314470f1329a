"""What the video server's tests share."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import video.http.app
from pipeline.flow.ledger import Ledger
from pipeline.http.connections import Connections
from pipeline.http.server import WebServer, listen
from pipeline.service.settings import SettingsError, load
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.clock import Clock
from tests.parts import wait_for
from tests.video.fakes import INTERVAL, Site, a_frame
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.settings import VideoSettings
from video.streams.clients import Clients

LIMITS = Limits(no_signal_after=3, stale_after=5)
CONNECTIONS = Connections(1000, 500)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of day and the monotonic time for cameras and ages; it advances only when a test says so."""
    clock = Clock()
    for module in (
        "pipeline.wire.frame",
        "video.cameras.camera",
        "video.streams.mjpeg.broadcast",
        "pipeline.http.connection",
    ):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., VideoSettings]:
    """Return the settings of an environment with the given variables and Kafka's address, nothing else."""

    def configure(**variables: str) -> VideoSettings:
        for name in VideoSettings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in {"KAFKAPORT": "kafka:9092", **variables}.items():
            monkeypatch.setenv(name, value)
        return load(VideoSettings)

    return configure


@pytest.fixture
def complaint(configure: Callable[..., VideoSettings]) -> Callable[..., str]:
    """Return the complaint about an environment with the given variables."""

    def complaint(**variables: str) -> str:
        with pytest.raises(SettingsError) as caught:
            configure(**variables)
        return str(caught.value)

    return complaint


@contextmanager
def a_page(folder: Path) -> Iterator[Path]:
    """Put pages of a few files in place of the real ones."""
    (folder / "index.html").write_text("<!doctype html><title>a page</title>")
    (folder / "status.html").write_text("<!doctype html><title>a status</title>")
    (folder / "app.js").write_text("'a script'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("video.http.routes._PAGE", folder)
        yield folder


def a_site(cameras: Cameras, **options: Any) -> video.http.app.Site:
    """Return all that the event loop runs."""
    return video.http.app.Site(cameras, INTERVAL, Clients(1000, 30), History(500, 1_000_000), **options)


@contextmanager
def serving(pulse: Pulse, **options: Any) -> Iterator[Site]:
    """Run the web server on a free port, without any camera yet."""
    ledger = Ledger()
    cameras = Cameras(LIMITS, ledger)
    listener = listen(Address("127.0.0.1", 0))
    site = a_site(cameras, **options)
    web = WebServer(site, listener, CONNECTIONS)
    thread = threading.Thread(target=web.run, args=(pulse,), name="web", daemon=True)
    thread.start()
    wait_for(lambda: cameras._loop, 20, "the server")
    try:
        yield Site(site, ledger, listener.getsockname()[1])
    finally:
        pulse.stopping.set()
        thread.join(20)
        web.close()
        cameras.drop_rest()
    assert not thread.is_alive()


@pytest.fixture(scope="package")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A page of two files in place of the real one."""
    with a_page(tmp_path_factory.mktemp("page")) as folder:
        yield folder


@pytest.fixture
def pulse() -> Pulse:
    """What ends the server."""
    return Pulse(threading.Event())


@pytest.fixture
def site(page: Path, pulse: Pulse) -> Iterator[Site]:  # noqa: ARG001
    """A web server without any camera yet."""
    with serving(pulse) as site:
        yield site


@pytest.fixture(scope="module")
def house(page: Path) -> Iterator[Site]:  # noqa: ARG001
    """A web server for several tests, with the cameras `door` and `front door`."""
    with serving(Pulse(threading.Event())) as site:
        site.show(a_frame(7, camera="front door"), a_frame(7, camera="door"))
        yield site


@pytest.fixture(scope="module")
def street(page: Path) -> Iterator[Site]:  # noqa: ARG001
    """A web server for several tests, which show their own cameras."""
    with serving(Pulse(threading.Event())) as site:
        yield site

"""The sidecar, and the training service that it asks, over HTTP."""

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from pipeline.http.connections import Connections
from pipeline.http.server import WebServer, listen
from pipeline.service.logs import Seldom
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.parts import ROOT, Process, free_port, wait_for
from tests.training.api.test_versions import add
from tests.training.conftest import Service
from tests.training.job.fakes import FakeService
from training.api.application import limited
from training.versions.sidecar import mirror
from training.versions.sidecar.mirror import Mirror
from training.versions.sidecar.settings import SidecarSettings
from training.versions.sidecar.source import Source, SourceError

OTHERS = {"imagenet": "/models/imagenet"}


class World:
    """A training service that listens, and a sidecar next to a model server."""

    def __init__(self, service: Service, url: str, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.mirror = Mirror(Source(url, "abc"), folder, OTHERS, 0.01)

    def add(self, result: int, model: str = "digits") -> int:
        return add(self.service, model, result, is_served=True)

    def versions(self, model: str = "digits") -> list[str]:
        return sorted(each.name for each in (self.folder / model).iterdir())

    def config(self) -> str:
        return (self.folder / "models.config").read_text()


class Bare:
    """Serves an application without anything in front of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def open(self) -> None:
        pass

    async def run(self) -> None:
        await asyncio.Event().wait()

    def close(self) -> None:
        pass


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    listener = listen(Address("127.0.0.1", 0))
    pulse = Pulse(threading.Event())
    server = WebServer(Bare(limited(service.app)), listener, Connections(100, 100))
    thread = threading.Thread(target=server.run, args=(pulse,))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    pulse.stopping.set()
    thread.join(30)
    server.close()


@pytest.fixture
def world(service: Service, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(mirror, "_seldom", Seldom(mirror.log))  # what an earlier test has caused is new here
    return World(service, url, tmp_path / "trained")


def test_the_server_can_start_before_the_training_service(tmp_path: Path) -> None:
    own = Mirror(Source(f"http://127.0.0.1:{free_port()}", ""), tmp_path / "trained", OTHERS, 1)

    own.start()
    own.look()

    assert (
        'name: "imagenet" base_path: "/models/imagenet"' in (tmp_path / "trained/models.config").read_text()
    )


def test_served_versions_are_fetched_and_candidates_are_not(world: World) -> None:
    world.add(1)
    world.add(2)
    add(world.service, "digits", 3)
    add(world.service, "emotions", 4)

    world.mirror.look()

    assert world.versions() == ["2"]
    assert (world.folder / "digits/2/saved_model.pb").read_bytes() == b"model"
    assert f'name: "digits" base_path: "{world.folder}/digits"' in world.config()
    assert not (world.folder / "emotions").exists()


def test_a_promoted_version_follows_and_deleted_ones_go(world: World) -> None:
    world.add(1)
    world.mirror.look()
    add(world.service, "digits", 2)
    world.service.post("/versions/digits/2/promote", status=200)

    world.mirror.look()
    assert world.versions() == ["1", "2"]
    world.service.client.delete("/versions/digits/1")
    world.mirror.look()

    assert world.versions() == ["2"]


def test_the_newest_stays_if_the_service_has_lost_all(world: World) -> None:
    world.add(1)
    world.mirror.look()
    shutil.rmtree(world.service.library.folder)

    world.mirror.look()

    assert world.versions() == ["1"]
    assert "digits" in world.config()


def test_strange_names_are_fetched_too(world: World) -> None:
    world.add(1, 'a b"é%')

    world.mirror.look()

    assert (world.folder / "a b%22é%25/1/saved_model.pb").exists()


def test_a_model_of_the_server_is_not_replaced(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.add(1, "imagenet")

    with caplog.at_level(logging.WARNING):
        world.mirror.look()

    assert "imagenet is not fetched" in caplog.text
    assert not (world.folder / "imagenet").exists()


def test_a_disk_without_room_is_noted_and_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.add(1)
    world.mirror.start()
    (world.folder / "digits").touch()
    with caplog.at_level(logging.WARNING):
        world.mirror.look()
    assert "version 1 of digits cannot be kept: " in caplog.text

    (world.folder / "digits").unlink()
    world.mirror.look()

    assert world.versions() == ["1"]


def test_it_looks_until_it_is_stopped(world: World) -> None:
    pulse = Pulse(threading.Event())
    thread = threading.Thread(target=world.mirror.run, args=(pulse,))
    thread.start()
    world.add(1)
    deadline = time.monotonic() + 60
    while not (world.folder / "digits/1").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

    pulse.stopping.set()
    thread.join(60)

    assert not thread.is_alive()
    assert pulse.quiet > 60


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


def test_half_an_archive_is_not_served(
    fake: FakeService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake.answers = [
        (200, b'[{"model": "half", "versions": [{"version": 3, "state": "served"}]}]'),
        (200, b"half of it"),
    ]
    source = Source(fake.url.removesuffix("/results/7"), "abc")

    with caplog.at_level(logging.WARNING):
        Mirror(source, tmp_path, {}, 1).look()

    assert "version 3 of half: the archive: " in caplog.text
    assert [*(tmp_path / "half").iterdir()] == []
    assert [(path, headers["Authorization"]) for _, path, headers, _ in fake.requests] == [
        ("/versions/", "Bearer abc"),
        ("/versions/half/3/archive", "Bearer abc"),
    ]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, b"", "/versions/ answered 503"),
        (200, b"<html>", "expected a list of versions"),
        (200, b"5", "expected a list of versions"),
        (200, b'[{"model": "a"}]', "expected a list of versions"),
        (200, b'[{"model": "a", "versions": [{"version": "x", "state": "old"}]}]', "expected a list"),
    ],
)
def test_an_answer_that_is_no_list_is_the_reason(
    fake: FakeService, status: int, body: bytes, reason: str
) -> None:
    fake.answers = [(status, body)]

    with pytest.raises(SourceError, match=reason):
        Source(fake.url.removesuffix("/results/7"), "").served()


@pytest.mark.parts
def test_as_a_process_it_fetches_and_ends(world: World, url: str, tmp_path: Path) -> None:
    world.add(1)
    variables = {
        "TRAININGURL": url,
        "SERVEDFOLDER": str(tmp_path / "trained"),
        "HEALTHPORT": f"127.0.0.1:{free_port()}",
        "STATEFOLDER": str(tmp_path / "state"),
    }
    command = [sys.executable, "-m", "training.versions.sidecar"]

    with Process(command, variables, tmp_path / "log") as sidecar:
        wait_for((tmp_path / "trained/digits/1").exists, 60, "the version")
        assert sidecar.stop() == 0

    (tmp_path / "file").touch()
    done = subprocess.run(
        command,
        env={**os.environ, **variables, "SERVEDFOLDER": str(tmp_path / "file")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"training.versions.sidecar: SERVEDFOLDER='{tmp_path}/file': ")
    assert len(done.stderr.splitlines()) == 1


def test_the_settings_name_the_service_and_the_folder() -> None:
    given = SidecarSettings(
        trainingurl="http://training-service:8080",
        servedfolder=Path("/trained"),
        basemodels='{"imagenet": "/models/imagenet"}',
    )

    assert (given.basemodels, given.pollinterval) == (OTHERS, 5)

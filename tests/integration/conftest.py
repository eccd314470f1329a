"""The whole pipeline as real processes, on either broker."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import pytest

from pipeline.service.values import Address
from producer.sources import open_source
from producer.sources.source import Limits
from tests.networks import HERE, Network
from tests.parts import LABELS, Process, Service, embedded_broker, free_port, get, reads, wait_for

Enter = Callable[[AbstractContextManager[Any]], Any]


class Pipeline:
    """Starts services on its own topics, and ends them with the test."""

    def __init__(self, bootstrap: str, folder: Path, enter: Enter, network: Network = HERE) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self._enter = enter
        self._network = network
        tag = uuid.uuid4().hex[:8]
        self.topic_in, self.topic_out = f"videocam-{tag}", f"videodisplay-{tag}"
        self.topic_status = f"status-{tag}"
        self.display = f"http://{Address(network.there, free_port())}"

    def producer(self, camera: str, link: str | Path, **settings: str) -> Service:
        """Start a producer."""
        environment = {
            "VIDEOLINK": str(link),
            "CAMERANAME": camera,
            "FRAMEINTERVAL": "40ms",
            "TOPICNAME": self.topic_in,
            "KAFKAPORT": self.bootstrap,
            **settings,
        }
        return self._start("producer", environment, f"-{camera}")

    def consumer(self, *model_urls: str, tag: str = "", **settings: str) -> Service:
        """Start a consumer that asks the ImageNet models at these URLs: imagenet_1, imagenet_2, ..."""
        models = {f"imagenet_{number}": url for number, url in enumerate(model_urls, start=1)}
        environment = {
            "TOPICNAMEIN": self.topic_in,
            "TOPICNAMEOUT": self.topic_out,
            "KAFKAPORTIN": self.bootstrap,
            "KAFKAPORTOUT": self.bootstrap,
            "GROUPNAME": self.topic_in,
            "MODELURLS": json.dumps(models),
            "LABELURLS": json.dumps(dict.fromkeys(models, str(LABELS))),
            **settings,
        }
        return self._start("consumer", environment, tag)

    def video(self, **settings: str) -> Service:
        """Start a video server at `display`."""
        environment = {
            "TOPICNAME": self.topic_out,
            "KAFKAPORT": self.bootstrap,
            "DISPLAYPORT": self.display.removeprefix("http://"),
            "FRAMEINTERVAL": "40ms",
            **settings,
        }
        return self._start("video", environment)

    def camera(self, name: str) -> dict[str, Any]:
        """Return what the video server reports about a camera; empty while it does not know it."""
        fields: dict[str, Any] = json.loads(reads(f"{self.display}/api/cameras/{name}") or b"{}")
        return fields

    def reported(self, name: str) -> dict[str, Any]:
        """Wait until the video server knows a camera, and return what it reports about it."""
        fields: dict[str, Any] = wait_for(lambda: self.camera(name), 30, f"a report about camera {name}")
        return fields

    def snapshot(self, name: str) -> bytes:
        """Return a camera's newest picture."""
        return get(f"{self.display}/snapshot/{name}.jpg")

    def _start(self, name: str, environment: dict[str, str], tag: str = "") -> Service:
        # Otherwise cameras of other tests would be on the page for a minute.
        environment = {"TOPICNAMESTATUS": self.topic_status, **environment}
        service: Service = self._enter(Service(name, environment, self.folder, tag, self._network))
        return service


class RtspCamera(Protocol):
    """Starts an RTSP server with a camera at a port and path."""

    def __call__(self, port: int, path: str = "/camera") -> Process: ...


@pytest.fixture
def rtsp_camera(system_python: str, clips: Path, tmp_path: Path) -> RtspCamera:
    """Return a function that starts a real RTSP server, which loops the first seconds of a film."""
    film = open_source(str(clips / "bikes.mp4"), Limits(5, 5))
    for number in range(100):
        film.grab()
        cv2.imwrite(str(tmp_path / f"{number:04d}.jpg"), np.asarray(film.retrieve().picture))

    def start(port: int, path: str = "/camera") -> Process:
        command = [system_python, "-m", "tests.rtsp_camera", str(port), str(tmp_path / "%04d.jpg"), path]
        return Process(command, {}, tmp_path / "rtsp.log")

    return start


@pytest.fixture(params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of each kind of broker in turn."""
    if request.param == "kafka":
        yield request.getfixturevalue("kafka_bootstrap")
        return
    with embedded_broker(tmp_path) as (address, _):
        yield address


@pytest.fixture
def pipeline(broker: str, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline on each kind of broker in turn."""
    with ExitStack() as stack:
        yield Pipeline(broker, tmp_path, stack.enter_context)


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[tuple[Pipeline, Process]]:
    """A pipeline on its own embedded broker, and that broker's process."""
    with embedded_broker(tmp_path) as (address, process), ExitStack() as stack:
        yield Pipeline(address, tmp_path, stack.enter_context), process

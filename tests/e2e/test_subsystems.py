"""Each subsystem's compose file: alone, and together with the others."""

from contextlib import ExitStack

import pytest

from pipeline.model_server.client import connect
from pipeline.model_server.url import ModelUrl
from tests.e2e.containers import PROJECT, Site, compose, docker_compose, expect_none_running, leftovers
from tests.parts import free_port, wait_for

pytestmark = [
    pytest.mark.usefixtures("engine"),
    pytest.mark.timeout(1200),
]  # images are built during this time

IMAGENET = ModelUrl.parse("grpc://127.0.0.1:8500/v1/models/imagenet")
SUBSYSTEMS = ["zookeeper", "tfserving", "producer", "consumer", "video", "training"]


@pytest.mark.parametrize("folder", [*SUBSYSTEMS, "compose"])
def test_a_compose_file_is_valid(folder: str) -> None:
    assert compose(folder, docker_compose(), "config", "--quiet") == ""


@pytest.mark.usefixtures("images")
def test_subsystems_started_one_by_one_show_a_labelled_picture() -> None:
    expect_none_running()
    port = str(free_port())
    site = Site(f"http://127.0.0.1:{port}")
    command = docker_compose()

    def run(folder: str, *arguments: str) -> None:
        compose(folder, command, *arguments, COMPOSE_PROJECT_NAME=f"{PROJECT}-{folder}", VIDEOPORT=port)

    with ExitStack() as stack:
        for folder in SUBSYSTEMS:
            stack.callback(run, folder, "down", "--volumes")
            run(folder, "up", "--detach")
        wait_for(lambda: site.label_age() < 5, 90, "a labelled picture")
        seq = site.camera()["seq"]
        wait_for(lambda: site.camera()["seq"] > seq + 25, 30, "the picture to move")
        assert connect(IMAGENET, 10).missing() is None

    assert leftovers(f"{PROJECT}-{folder}" for folder in SUBSYSTEMS) == []

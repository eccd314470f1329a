"""Containers with the model in two precisions, as compose/int8.yml starts it."""

import pytest

from tests.e2e.containers import (
    PROJECT,
    Site,
    compose,
    docker_compose,
    expect_none_running,
    leftovers,
)
from tests.parts import free_port, wait_for

pytestmark = pytest.mark.timeout(1200)  # images are built during this time


def test_one_camera_goes_through_both_precisions(images: None) -> None:  # noqa: ARG001
    expect_none_running()
    command = [*docker_compose(), "-f", "docker-compose.yml", "-f", "int8.yml"]
    port = free_port()
    environment = {"VIDEOPORT": str(port), "COMPOSE_PROJECT_NAME": PROJECT}
    site = Site(f"http://127.0.0.1:{port}")

    def answered() -> set[str]:
        """Return the models whose label is on the picture, with the time that they took."""
        answers = site.camera().get("predictions", [])
        return {each["model"] for each in answers if each["results"] and each.get("took_ms") is not None}

    try:
        compose("compose", command, "up", "--detach", **environment)
        wait_for(lambda: answered() == {"imagenet_8", "imagenet_32"}, 90, "the labels of both")
    finally:
        compose("compose", command, "down", "--volumes", **environment)
    assert leftovers([PROJECT]) == []

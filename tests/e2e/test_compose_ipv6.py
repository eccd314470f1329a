"""Containers on a network with IPv6, as compose/ipv6.yml makes it."""

import pytest

from tests.e2e.containers import (
    NETWORK,
    PROJECT,
    Container,
    compose,
    docker_compose,
    expect_none_running,
    leftovers,
)
from tests.parts import free_port, reads, wait_for

pytestmark = pytest.mark.timeout(1200)  # images are built during this time


def test_containers_become_healthy_and_answer_at_their_ipv6_addresses(images: None, ipv6: str) -> None:  # noqa: ARG001
    expect_none_running()
    command = [*docker_compose(), "-f", "docker-compose.yml", "-f", "ipv6.yml"]
    environment = {"VIDEOPORT": str(free_port()), "COMPOSE_PROJECT_NAME": PROJECT}
    try:
        compose("compose", command, "up", "--detach", "video", **environment)
        video = Container(compose("compose", command, "ps", "--quiet", "video", **environment).strip())
        address = video.inspected()["NetworkSettings"]["Networks"][NETWORK]["GlobalIPv6Address"]

        wait_for(lambda: reads(f"http://[{address}]:8080/api/cameras"), 60, "the page")
        wait_for(lambda: video.state()["Health"]["Status"] == "healthy", 60, "the health check")
    finally:
        compose("compose", command, "down", "--volumes", **environment)
    assert leftovers([PROJECT]) == []

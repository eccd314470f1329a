"""Containers with Kafka in KRaft mode, as compose/kraft.yml starts it."""

import pytest

from tests.e2e.containers import (
    PROJECT,
    Container,
    compose,
    docker,
    docker_compose,
    expect_none_running,
    leftovers,
)
from tests.parts import free_port, wait_for

pytestmark = pytest.mark.timeout(1200)  # images are built during this time


def test_kafka_serves_the_producer_without_zookeeper_and_keeps_its_topics(images: None) -> None:  # noqa: ARG001
    expect_none_running()
    command = [*docker_compose(), "-f", "docker-compose.yml", "-f", "kraft.yml"]
    environment = {"VIDEOPORT": str(free_port()), "COMPOSE_PROJECT_NAME": PROJECT}

    def run(*arguments: str) -> str:
        return compose("compose", command, *arguments, **environment)

    try:
        run("up", "--detach", "producer")
        producer, kafka = (Container(run("ps", "--quiet", name).strip()) for name in ("producer", "kafka"))
        wait_for(lambda: is_ready(producer), 60, "the producer to be ready")
        before = topics(kafka)
        assert {"videocam", "status"} <= before
        assert set(run("ps", "--services").split()) == {"kafka", "producer"}

        run("restart", "kafka")
        wait_for(lambda: topics(kafka) == before, 120, "the same topics")
        wait_for(lambda: is_ready(producer), 60, "the producer to be ready")
    finally:
        run("down", "--volumes")
    assert leftovers([PROJECT]) == []


def is_ready(producer: Container) -> bool:
    try:
        return producer.readiness()[0] == 200
    except AssertionError:  # not started yet
        return False


def topics(kafka: Container) -> set[str]:
    """Return Kafka's topics; none while it does not answer."""
    command = "KAFKA_HEAP_OPTS=-Xmx64m kafka-topics --bootstrap-server localhost:19095 --list"
    try:
        return set(docker("exec", kafka.id, "bash", "-c", command, timeout=100).split())
    except AssertionError:
        return set()

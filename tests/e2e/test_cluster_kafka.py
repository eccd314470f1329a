"""On a real cluster: Kafka without ZooKeeper, and a producer that is outside the cluster."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.e2e.kubernetes import PAGE, System, name_of, wait_until_labelled
from tests.parts import Service, get, wait_for

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("cluster")]

NODE_PORT = 30197


@pytest.fixture
def system() -> Iterator[System]:
    """The namespace of a test, which is removed with all that is in it."""
    system = System("kafka-test")
    call("kubectl", "create", "namespace", system.namespace)
    yield system
    call("kubectl", "delete", "namespace", system.namespace, timeout=170)


def test_kafka_works_without_zookeeper_and_keeps_its_topics(system: System) -> None:
    system.kubectl("apply", "-k", "k8s/overlays/kraft")
    wait_until_labelled(timeout=180)
    system.wait_until_ready()
    assert system.pods("zookeeper") == []
    before = system.kafka_topics("--list").split()
    assert {"videocam", "videodisplay", "status", "members"} <= set(before)

    begun = time.monotonic()
    system.kubectl("delete", "pod", name_of(system.pod("kafka")))
    system.wait_until_ready()
    wait_until_labelled()

    print(f"labelled again after {time.monotonic() - begun:.1f} s")
    assert system.kafka_topics("--list").split() == before


def test_a_producer_outside_feeds_the_cluster(system: System, tmp_path: Path, clips: Path) -> None:
    users = ["--from-literal=laptop=hunter2"]
    system.kubectl("create", "secret", "generic", "kafka-external", *users)
    system.kubectl("apply", "-k", "k8s/overlays/external")
    wait_until_labelled(timeout=180)

    with producer(tmp_path, clips, "laptop", "hunter2") as laptop:
        wait_until_labelled("laptop")
        laptop.ready()
        assert get(f"{PAGE}/snapshot/laptop.jpg").startswith(b"\xff\xd8")
    why = "does not accept this user: correct sasl.username and sasl.password in KAFKACONFIG"
    with producer(tmp_path, clips, "thief", "hunter3") as thief:
        wait_for(lambda: why in thief.text, 60, "the reason in the log")
        assert "hunter3" not in thief.text


def producer(folder: Path, clips: Path, camera: str, password: str) -> Service:
    """Start a producer on this machine, as the README says."""
    login = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "laptop",
        "sasl.password": password,
    }
    node = call("kubectl", "get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}")
    environment = {
        "KAFKAPORT": f"{node}:{NODE_PORT}",
        "KAFKACONFIG": json.dumps(login),
        "VIDEOLINK": str(clips / "bikes.mp4"),
        "CAMERANAME": camera,
    }
    return Service("producer", environment, folder, f"-{camera}")

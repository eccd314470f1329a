"""The whole system in containers, as `make up` starts it: its pictures, its limits, and its recovery."""

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from pipeline.cameras.seal import Seal
from tests.e2e.conftest import call
from tests.e2e.containers import (
    MODELS,
    NETWORK,
    PROJECT,
    SERVICES,
    TRAINING,
    VOLUMES,
    Container,
    Site,
    compose,
    docker,
    docker_compose,
    expect_none_running,
    leftovers,
    started,
)
from tests.parts import free_port, get, reads, wait_for

pytestmark = pytest.mark.timeout(1200)  # images are built during this time


@dataclass(frozen=True, slots=True)
class System:
    """The running system: its page, the container of each service, and the address of Prometheus."""

    site: Site
    containers: dict[str, Container]
    prometheus: str


@pytest.fixture(scope="module")
def system(images: None) -> Iterator[System]:  # noqa: ARG001
    """Everything in containers, also Prometheus, with a film clip as the camera."""
    expect_none_running()
    port, prometheus_port = str(free_port()), str(free_port())
    environment = {"VIDEOPORT": port, "COMPOSE_PROJECT_NAME": PROJECT, **VOLUMES}
    environment |= {"COMPOSE_PROFILES": "monitoring", "PROMETHEUSPORT": prometheus_port, **TRAINING}
    try:
        call("make", "up", timeout=300, **environment)
        find = ("ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}", "--filter")
        ids = {service: docker(*find, f"label=com.docker.compose.service={service}") for service in SERVICES}
        site = Site(f"http://127.0.0.1:{port}")
        wait_for(lambda: site.label_age() < 5, 60, "a labelled picture")
        containers = {service: Container(found) for service, found in ids.items()}
        yield System(site, containers, f"http://127.0.0.1:{prometheus_port}")
        call("make", "down", timeout=100, **environment)
    finally:
        compose("compose", docker_compose(), "down", "--volumes", **environment)
    assert leftovers([PROJECT]) == []


OURS = ("producer", "consumer", "video", "training")


def expect_labelled_picture(site: Site, since: float, timeout: float = 40) -> None:
    """Wait for a picture whose label is about a frame captured after `since`."""
    wait_for(lambda: site.label_age() < time.monotonic() - since, timeout, "a labelled picture")


def test_the_page_shows_moving_labelled_pictures(system: System) -> None:
    (camera,) = system.site.cameras()
    assert (camera["name"], camera["state"]) == ("bikes", "live")
    (answer,) = camera["predictions"]
    assert answer["model"] == "imagenet_1"
    assert answer["results"][0]["label"]
    wait_for(lambda: system.site.camera()["seq"] > camera["seq"] + 50, 10, "the picture to move")
    picture = cv2.imdecode(np.frombuffer(get(f"{system.site.address}/snapshot/bikes.jpg"), np.uint8), 1)
    assert picture is not None
    assert picture.shape[:2] == (camera["height"], camera["width"])
    assert b"<!doctype html>" in get(f"{system.site.address}/page/index.html")


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_more_privileges_than_it_needs(system: System, service: str) -> None:
    container = system.containers[service]

    details, process = container.inspected(), container.process()

    assert all(uid != "0" for uid in process["Uid"].split())
    assert {int(process[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert process["NoNewPrivs"] == "1"
    host = details["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    most = 4 if service == "training" else 2  # GiB; jobs run in its container
    assert 0 < host["Memory"] <= most * 1024**3
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"].keys() == {"max-size", "max-file"}
    volumes = [mount["Name"] for mount in details["Mounts"] if mount["Type"] == "volume"]
    assert all(name.startswith(PROJECT) for name in volumes), "an anonymous volume would be left behind"


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_becomes_healthy(system: System, service: str) -> None:
    container = system.containers[service]

    wait_for(lambda: container.state()["Health"]["Status"] == "healthy", 40, f"{service} to be healthy")

    assert container.inspected()["RestartCount"] == 0, "it started at the first attempt"


@pytest.mark.parametrize("service", ["producer", "consumer", "video"])
def test_a_stopped_container_ends_in_order_and_works_again_when_started(system: System, service: str) -> None:
    container = system.containers[service]

    seconds, ended, lines = container.stop(), container.state(), container.log().splitlines()
    container.start()
    since = time.monotonic()

    assert seconds < 8
    assert ended["ExitCode"] == 0
    assert any("SIGTERM received" in line for line in lines)
    assert " stopped: " in lines[-1]
    expect_labelled_picture(system.site, since)
    assert container.inspected()["HostConfig"]["Init"], (
        "a container that is stopped before Python starts must end promptly, too"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_container_comes_back_by_itself(system: System, service: str) -> None:
    container, ages = system.containers[service], []
    before = container.state()["StartedAt"]

    container.kill()
    killed = time.monotonic()
    wait_for(lambda: container.state()["StartedAt"] != before, 40, f"{service} to be started again")
    back = time.monotonic()

    def labelled() -> bool:
        ages.append(system.site.camera().get("age_ms", 0.0))
        return system.site.label_age() < time.monotonic() - back

    wait_for(labelled, 90, "a labelled picture")  # 15 s or less on an idle machine
    shown = time.monotonic()
    print(
        f"{service}: started again after {back - killed:.1f} s, labelled picture after {shown - killed:.1f} s"
    )
    if service in {"zookeeper", "tfserving"}:
        assert statistics.median(ages) < 1000, "the picture continues meanwhile"
    wait_for(lambda: container.state()["Health"]["Status"] == "healthy", 40, f"{service} to be healthy")


@pytest.mark.usefixtures("system")
def test_a_missing_film_is_reported_by_a_producer_that_keeps_running() -> None:
    settings = {"VIDEOLINK": "/no/such/film.mp4", "CAMERANAME": "yard"}
    settings |= {"TOPICNAME": "elsewhere", "KAFKAPORT": "kf1-service:19091"}

    with started("producer", f"--network={NETWORK}", **settings) as producer:
        wait_for(lambda: "trying again in" in producer.log(), 20, "the producer to try")
        wait_for(lambda: "yard" in producer.readiness()[1], 20, "the reason to be reported")

        assert producer.readiness() == (503, "camera yard: there is no such file")
        assert "/no/such/film.mp4" in producer.log()
        assert producer.state()["Running"]


def test_a_missing_model_is_named_by_a_consumer_that_is_not_ready(system: System) -> None:
    model = "http://tfserving-service:8501/v1/models/nonsense:predict"
    settings = {
        "KAFKAPORTIN": "kf1-service:19092",
        "KAFKAPORTOUT": "kf1-service:19093",
        "TOPICNAMEOUT": "elsewhere",
        "GROUPNAME": "another",
        "MODELURLS": json.dumps({"imagenet_1": model}),
        "LABELURLS": json.dumps({"imagenet_1": "labels/imagenetLabels.json"}),
    }

    with started("consumer", f"--network={NETWORK}", **settings) as consumer:
        wait_for(lambda: "404" in consumer.log(), 40, "the model's answer in the log")
        wait_for(lambda: "404" in consumer.readiness()[1], 20, "the model's answer to be reported")
        status, text = consumer.readiness()

    assert status == 503
    (line,) = text.splitlines()
    assert line.startswith("model imagenet_1: the server answered 404: ")
    assert "nonsense" in line
    assert system.site.label_age() < 5, "the other consumer continues"


def test_the_key_is_written_once_and_both_services_read_it(system: System) -> None:
    file = "/keys/cameras.key"
    keys = {docker("exec", system.containers[name].id, "cat", file) for name in ("producer", "video")}
    modes = {docker("exec", system.containers[name].id, "stat", "-c", "%a %u", file) for name in ("video",)}

    assert len(keys) == 1
    Seal(keys.pop().split())
    assert modes == {"600 65532"}
    # The command ends after a while without records, also if it has not found the topic's leader by then.
    sealed = wait_for(lambda: consumed(system.containers["kafka"], "cameras"), 90, "the cameras")
    assert '"link": "gAAAAA' in sealed
    assert "/clips/" not in sealed


def test_producers_share_the_cameras_and_another_one_adds_its_own(system: System) -> None:
    command = [*docker_compose(), "-p", f"{PROJECT}-yard"]
    mine = {"COMPOSE_PROJECT_NAME": PROJECT, "VIDEOPORT": system.site.address.rpartition(":")[2]}
    try:
        settings = {"VIDEOLINK": "/clips/carphone_pristine.mp4", "CAMERANAME": "yard"}
        compose("producer", command, "up", "--detach", **settings)

        wait_for(lambda: moves(system.site, "yard"), 60, "the second camera")

        assert {camera["name"] for camera in system.site.cameras()} == {"bikes", "yard"}
    finally:
        compose("producer", command, "down")

    # The camera is data: the producer that is left captures it.
    wait_for(lambda: moves(system.site, "yard", "bikes"), 60, "both cameras at one producer")
    scaled = [*docker_compose(), "up", "--detach", "--no-recreate", "--scale", "producer=3"]
    compose("compose", scaled, **mine)
    ids = running("producer")
    assert len(ids) == 3
    wait_for(lambda: all(map(is_healthy, ids)), 60, "three healthy producers")
    wait_for(lambda: moves(system.site, "yard", "bikes"), 60, "both cameras at three producers")


def test_prometheus_collects_from_all_containers_and_no_rule_fails(system: System) -> None:
    def collected() -> dict[str, int]:
        answer = reads(f"{system.prometheus}/api/v1/query?query=sum+by+(job)+(up)") or b"{}"
        found = json.loads(answer).get("data", {}).get("result", [])
        return {each["metric"]["job"]: int(each["value"][1]) for each in found}

    def expected() -> dict[str, int]:
        return {service: len(running(service)) for service in OURS}

    wait_for(lambda: collected() == expected(), 60, "Prometheus to find all containers")
    groups = json.loads(get(f"{system.prometheus}/api/v1/rules"))["data"]["groups"]
    assert [rule["lastError"] for group in groups for rule in group["rules"] if "lastError" in rule] == []
    assert {group["name"] for group in groups} == {"streamlens-records", "streamlens-alerts"}


def test_a_trained_model_is_served_next_to_the_own_one(system: System) -> None:
    copy = "mkdir /store/again && cd /store/again && cp -r /models/imagenet/1 .1.part && mv .1.part 1"
    docker("run", "--rm", f"--volume={MODELS}:/store", "--entrypoint=sh", "streamlens/tfserving", "-c", copy)

    def state(model: str) -> str:
        answer = json.loads(reads(f"http://127.0.0.1:8501/v1/models/{model}") or b"{}")
        return ",".join(each["state"] for each in answer.get("model_version_status", []))

    wait_for(lambda: state("again") == "AVAILABLE", 60, "the trained model")
    assert state("imagenet") == "AVAILABLE"
    mounts = system.containers["tfserving"].inspected()["Mounts"]
    assert [each["RW"] for each in mounts if each.get("Name") == MODELS] == [False]


def running(service: str) -> list[str]:
    """Return the ids of a service's containers that run."""
    project = f"label=com.docker.compose.project={PROJECT}"
    label = f"label=com.docker.compose.service={service}"
    return docker("ps", "--quiet", "--filter", project, "--filter", label).split()


def is_healthy(container: str) -> bool:
    return bool(Container(container).state()["Health"]["Status"] == "healthy")


def moves(site: Site, *names: str) -> bool:
    """Whether pictures of these cameras are live."""
    states = {camera["name"]: camera["state"] for camera in site.cameras()}
    return all(states.get(name) == "live" for name in names)


def consumed(kafka: Container, topic: str) -> str:
    """Return the values on a topic, as Kafka's own command reads them."""
    read = f"kafka-console-consumer --bootstrap-server localhost:19095 --topic {topic} --from-beginning"
    return docker(
        "exec",
        "--env",
        "KAFKA_HEAP_OPTS=-Xmx64m",
        kafka.id,
        "bash",
        "-c",
        f"{read} --timeout-ms 8000 || true",
    )

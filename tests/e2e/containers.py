"""Containers as Docker reports them, and the video server's report about their picture."""

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.e2e.conftest import call, works
from tests.parts import free_port, get, reads

NETWORK: Final = "streamlens"
PROJECT: Final = "streamlens-test"  # not the user's own project, whose volumes are left alone
VOLUME: Final = f"{PROJECT}-key"
"""The volume with the key, which all projects of the tests share; the user's own is left alone."""
MODELS: Final = f"{PROJECT}-models"
"""The same for the volume with trained models."""
VOLUMES: Final = {"CAMERASVOLUME": VOLUME, "MODELSVOLUME": MODELS}
"""The variables that name them."""
SERVICES: Final = ("zookeeper", "kafka", "tfserving", "producer", "consumer", "video", "training")
TRAINING: Final = {"TRAININGPORT": str(free_port())}
"""The variable with the port of the training service in containers."""

# Queries the service's health server from within its container, which has Python but not curl.
_ASK: Final = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 9000, timeout=5)
connection.request("GET", sys.argv[1])
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""


def docker(*arguments: str, timeout: float = 60) -> str:
    """Run a Docker command and return its output."""
    return call("docker", *arguments, timeout=timeout).strip()


def docker_compose() -> list[str]:
    """Return the command of Docker Compose: a Docker plugin, or a separate program."""
    return ["docker", "compose"] if works("docker", "compose", "version") else ["docker-compose"]


def compose(folder: str, command: Sequence[str], *arguments: str, **environment: str) -> str:
    """Run Docker Compose in a folder, as a user would."""
    environment = {**VOLUMES, **TRAINING, **environment}
    return call("sh", "-c", 'cd "$0" && exec "$@"', folder, *command, *arguments, timeout=150, **environment)


def expect_none_running() -> None:
    """Fail if the system already runs in containers: there can be only one, and it may be the user's."""
    if docker("ps", "--quiet", "--filter", f"network={NETWORK}"):
        pytest.fail(f"there are containers on the network {NETWORK}: make down first", pytrace=False)


def leftovers(projects: Iterable[str]) -> list[str]:
    """Return the containers, networks and volumes of Compose projects that still exist."""
    found = docker("network", "ls", "--quiet", "--filter", f"name=^{NETWORK}$").split()
    for name in VOLUMES.values():
        found += docker("volume", "ls", "--quiet", "--filter", f"name=^{name}$").split()
    for project in projects:
        mine = ("--filter", f"label=com.docker.compose.project={project}")
        found += docker("ps", "--all", "--quiet", *mine).split()
        found += docker("network", "ls", "--quiet", *mine).split()
        found += docker("volume", "ls", "--quiet", *mine).split()
    return found


@dataclass(frozen=True, slots=True)
class Container:
    """A container, by its id."""

    id: str

    def inspected(self) -> Any:
        """Return everything that Docker reports about it."""
        return json.loads(docker("inspect", self.id))[0]

    def state(self) -> dict[str, Any]:
        """Return its state: whether it runs, its start, its process, its health, its exit code."""
        fields: dict[str, Any] = self.inspected()["State"]
        return fields

    def log(self) -> str:
        """Return its output."""
        return call("sh", "-c", f"docker logs {self.id} 2>&1")

    def process(self) -> dict[str, str]:
        """Return the kernel's status of its first process: Uid, CapEff, SigCgt, ..."""
        lines = docker("exec", self.id, "cat", "/proc/1/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def readiness(self) -> tuple[int, str]:
        """Return the status and text of its answer to /readyz."""
        status, _, text = docker("exec", self.id, "python", "-c", _ASK, "/readyz").partition(" ")
        return int(status), text

    def start(self) -> None:
        """Start it again."""
        docker("start", self.id)

    def stop(self) -> float:
        """Stop it with Docker's default time limit, and return how many seconds it took."""
        begun = time.monotonic()
        docker("stop", "--time", "10", self.id)
        return time.monotonic() - begun

    def kill(self) -> None:
        """Kill its process as a crash would: after Docker's own `kill`, no restart policy applies."""
        pid = self.state()["Pid"]
        assert pid > 0, "it is not running"
        docker("run", "--rm", "--privileged", "--pid=host", "busybox:1.36", "kill", "-9", str(pid))


@contextmanager
def started(image: str, *options: str, **environment: str) -> Iterator[Container]:
    """Start a container of one of the project's images; it is removed when the block ends."""
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    container = Container(docker("run", "--detach", *options, *settings, f"streamlens/{image}"))
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container.id)


@dataclass(frozen=True, slots=True)
class Site:
    """The video server at its published port."""

    address: str

    def camera(self) -> dict[str, Any]:
        """Return its report about camera bikes; empty while it does not know the camera."""
        fields: dict[str, Any] = json.loads(reads(f"{self.address}/api/cameras/bikes") or b"{}")
        return fields

    def cameras(self) -> list[dict[str, Any]]:
        """Return its report about all cameras."""
        found: list[dict[str, Any]] = json.loads(get(f"{self.address}/api/cameras"))
        return found

    def label_age(self) -> float:
        """Return the age in s of the frame that the newest picture's label is about."""
        camera = self.camera()
        ages = [answer["age_ms"] for answer in camera.get("predictions", []) if answer["results"]]
        return (camera["age_ms"] + max(ages)) / 1000 if ages else math.inf

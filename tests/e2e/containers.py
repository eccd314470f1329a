"""Containers as Docker tells of them, and what a browser would be told of their picture."""

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.e2e.conftest import call, works
from tests.parts import get, reads

NETWORK: Final = "streamlens"
PROJECT: Final = "streamlens-test"  # beside a user's own projects, whose volumes are left alone
SERVICES: Final = ("zookeeper", "kafka", "tfserving", "producer", "consumer", "video")

# Asks the service's health server from within its container, where Python is and curl is not.
_ASK: Final = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 9000, timeout=5)
connection.request("GET", sys.argv[1])
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""


def docker(*arguments: str, timeout: float = 60) -> str:
    """Run a command of Docker's and return what it printed."""
    return call("docker", *arguments, timeout=timeout).strip()


def docker_compose() -> list[str]:
    """Return the command of Docker Compose: a plugin of Docker's, or a program of its own."""
    return ["docker", "compose"] if works("docker", "compose", "version") else ["docker-compose"]


def compose(folder: str, command: Sequence[str], *arguments: str, **environment: str) -> str:
    """Run Docker Compose in a folder, as a user would who went there."""
    return call("sh", "-c", 'cd "$0" && exec "$@"', folder, *command, *arguments, timeout=150, **environment)


def expect_nobody() -> None:
    """Fail where the system runs in containers already: there can be only one, and it may be a user's."""
    if docker("ps", "--quiet", "--filter", f"network={NETWORK}"):
        pytest.fail(f"there are containers on the network {NETWORK}: make down first", pytrace=False)


def leftovers(projects: Iterable[str]) -> list[str]:
    """Return the containers, networks and volumes of Compose projects that are still there."""
    found = docker("network", "ls", "--quiet", "--filter", f"name=^{NETWORK}$").split()
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

    def told(self) -> Any:
        """Return all that Docker tells of it."""
        return json.loads(docker("inspect", self.id))[0]

    def state(self) -> dict[str, Any]:
        """Return whether it runs, since when, with which process, how healthy, or how it ended."""
        fields: dict[str, Any] = self.told()["State"]
        return fields

    def log(self) -> str:
        """Return what it wrote."""
        return call("sh", "-c", f"docker logs {self.id} 2>&1")

    def process(self) -> dict[str, str]:
        """Return what the kernel tells of its first process: Uid, CapEff, SigCgt, ..."""
        lines = docker("exec", self.id, "cat", "/proc/1/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def readiness(self) -> tuple[int, str]:
        """Return the status and text with which it answers /readyz."""
        status, _, text = docker("exec", self.id, "python", "-c", _ASK, "/readyz").partition(" ")
        return int(status), text

    def start(self) -> None:
        """Start it again."""
        docker("start", self.id)

    def stop(self) -> float:
        """Stop it with the time that Docker gives by default, and return how many seconds it took."""
        begun = time.monotonic()
        docker("stop", "--time", "10", self.id)
        return time.monotonic() - begun

    def kill(self) -> None:
        """End its process as a crash would: to Docker's own `kill` no restart policy answers."""
        pid = self.state()["Pid"]
        assert pid > 0, "it does not run"
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
        """Return what it tells of camera bikes; nothing while there is none."""
        fields: dict[str, Any] = json.loads(reads(f"{self.address}/api/cameras/bikes") or b"{}")
        return fields

    def cameras(self) -> list[dict[str, Any]]:
        """Return what it tells of all cameras."""
        found: list[dict[str, Any]] = json.loads(get(f"{self.address}/api/cameras"))
        return found

    def label_age(self) -> float:
        """Return how many seconds ago the frame was captured that the newest picture's label is about."""
        camera = self.camera()
        ages = [answer["age_ms"] for answer in camera.get("predictions", []) if answer["results"]]
        return (camera["age_ms"] + max(ages)) / 1000 if ages else math.inf

"""What the containers take: their images, their memory, and the time until they show something."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.bench.figures import Figure
from tests.bench.start import labelled
from tests.e2e.conftest import IMAGES, call, no_cluster, works
from tests.e2e.containers import compose_v2
from tests.e2e.kubernetes import SUBSYSTEMS, System, is_ready, wait_until_labelled
from tests.parts import free_port, wait_for

_SERVICES: Final = ("producer", "consumer", "video")
_UNITS: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def measure() -> list[Figure]:
    """Return the figures of Docker and of Kubernetes, as far as they are there."""
    figures = []
    if works("docker", "version"):
        figures += _docker()
    else:
        print("no figures of containers: there is no Docker engine")
    if problem := no_cluster():
        print(f"no figures of pods: {problem}")
    else:
        figures += _kubernetes()
    return figures


def _docker() -> list[Figure]:
    port = free_port()
    begun = time.monotonic()
    with _composition(port):
        wait_for(lambda: labelled(port), 120, "a labelled frame")
        first = time.monotonic() - begun
        time.sleep(20)
        memory = [
            Figure(f"container of {name}", _memory(name), "MB", "24 frames/s of 640x272", goal=120)
            for name in _SERVICES
        ]
    figures = [Figure("compose to first label", first, "s", "nothing built, base images there")]
    return figures + memory + [_image(name) for name in IMAGES if name.startswith("streamlens/")]


def _compose(*arguments: str, timeout: float = 300, **environment: str) -> str:
    command = (*compose_v2(), "-f", "compose/docker-compose.yml", "-p", "streamlens-bench")
    return call(*command, *arguments, timeout=timeout, **environment)


@contextmanager
def _composition(port: int) -> Iterator[None]:
    try:
        _compose("build", "--no-cache", "--quiet", timeout=900)
        _compose("up", "--detach", VIDEOPORT=str(port))
        yield
    finally:
        _compose("down", "--volumes")


def _memory(name: str) -> float:
    container = _compose("ps", "--quiet", name).strip()
    usage = call("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container).split()[0]
    return float(usage[:-3]) * _UNITS[usage[-3:]] / 1e6


def _image(name: str) -> Figure:
    size = int(call("docker", "image", "inspect", "--format", "{{.Size}}", name)) / 1e6
    goal = None if name.endswith("tfserving") else 350
    return Figure(f"image {name}", size, "MB", "all layers, most of them shared", goal)


def _kubernetes() -> list[Figure]:
    system = System()
    try:
        system.apply(*SUBSYSTEMS)
        system.wait_until_ready()
        wait_until_labelled()
        return [
            Figure(f"pod of {app}, start to ready", _start(system, app), "s", "image on the node", goal=5)
            for app in _SERVICES
        ]
    finally:
        for name in SUBSYSTEMS:
            system.kubectl("delete", "--ignore-not-found", "-f", f"{name}/deployment.yml")
        system.wait_until_gone()


def _start(system: System, app: str) -> float:
    """Return the seconds from a pod's being made to its being ready."""
    old = system.pod(app)["metadata"]["name"]
    system.kubectl("delete", "pod", old, "--wait=false")
    wait_for(lambda: system.pods(app) and system.pod(app)["metadata"]["name"] != old, 30, "another pod")
    begun = time.monotonic()
    wait_for(lambda: is_ready(system.pod(app)), 60, "the pod to be ready")
    return time.monotonic() - begun

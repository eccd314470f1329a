"""Containers and pods: size of the images, memory, and time until they are ready."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.start import labelled
from tests.e2e.conftest import call, no_cluster, works
from tests.e2e.containers import TRAINING, docker_compose
from tests.e2e.kubernetes import SUBSYSTEMS, System, is_ready, wait_until_labelled
from tests.parts import free_port, wait_for

_SERVICES: Final = ("producer", "consumer", "video")
_STARTS: Final = 3  # of each pod
_UNITS: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

FIRST_LABEL: Final = Figure("compose to first label", "s")
MEMORY: Final = {name: Figure(f"container of {name}, memory", "MB", most=120) for name in _SERVICES}
SIZE: Final = {name: Figure(f"image of {name}", "MB", most=350) for name in _SERVICES} | {
    "tfserving": Figure("image of tfserving", "MB")
}
READY: Final = {name: Figure(f"pod of {name}, start to ready", "s", most=5) for name in _SERVICES}
FIGURES: Final = (FIRST_LABEL, *MEMORY.values(), *SIZE.values(), *READY.values())


def measure() -> list[Measured]:
    """Return the figures of Docker and Kubernetes, if they are available."""
    figures = []
    if works("docker", "version"):
        figures += _docker()
    else:
        print("  no figures of containers: there is no Docker engine")
    if problem := no_cluster():
        print(f"  no figures of pods: {problem}")
    else:
        figures += _kubernetes()
    return figures


def _docker() -> list[Measured]:
    port = free_port()
    memory: dict[str, list[float]] = {name: [] for name in _SERVICES}
    _compose("build", "--quiet", timeout=900)
    begun = time.monotonic()
    with _composition(port):
        wait_for(lambda: labelled(port), 120, "a labelled frame")
        first = time.monotonic() - begun
        for _ in rounds("containers, memory"):
            time.sleep(1)
            for name, values in memory.items():
                values.append(_memory(name))
    against = "resident memory and active page cache, 24 frames/s of 640x272, from the first label on"
    return [
        FIRST_LABEL.alone([first], "images built, 1 start"),
        *(MEMORY[name].alone(values, against) for name, values in memory.items()),
        *(figure.alone([_size(name)], "all layers, most of them shared") for name, figure in SIZE.items()),
    ]


def _compose(*arguments: str, timeout: float = 300, **environment: str) -> str:
    command = (*docker_compose(), "-f", "compose/docker-compose.yml", "-p", "streamlens-bench")
    volumes = {"CAMERASVOLUME": "streamlens-bench-key", "MODELSVOLUME": "streamlens-bench-models"}
    return call(*command, *arguments, timeout=timeout, **volumes, **TRAINING, **environment)


@contextmanager
def _composition(port: int) -> Iterator[None]:
    try:
        _compose("up", "--detach", VIDEOPORT=str(port))
        yield
    finally:
        _compose("down", "--volumes")


def _memory(name: str) -> float:
    container = _compose("ps", "--quiet", name).strip()
    usage = call("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container).split()[0]
    return float(usage[:-3]) * _UNITS[usage[-3:]] / 1e6


def _size(name: str) -> float:
    return int(call("docker", "image", "inspect", "--format", "{{.Size}}", f"streamlens/{name}")) / 1e6


def _kubernetes() -> list[Measured]:
    system = System()
    try:
        system.apply(*SUBSYSTEMS)
        system.wait_until_ready()
        wait_until_labelled()
        starts = {app: [_start(system, app) for _ in rounds(f"pod of {app}", _STARTS)] for app in _SERVICES}
        return [
            READY[app].alone(seconds, f"image on the node, {len(seconds)} starts")
            for app, seconds in starts.items()
        ]
    finally:
        system.delete()


def _start(system: System, app: str) -> float:
    """Return the seconds from a pod's creation until it is ready."""
    old = system.pod(app)["metadata"]["name"]
    system.kubectl("delete", "pod", old, "--wait=false")
    wait_for(lambda: system.pods(app) and system.pod(app)["metadata"]["name"] != old, 30, "another pod")
    begun = time.monotonic()
    wait_for(lambda: is_ready(system.pod(app)), 60, "the pod to be ready")
    return time.monotonic() - begun

"""The browsers, the container engine, the project's images, and a Kubernetes cluster that can use them."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import missing
from tests.e2e.browsing import FLAGS
from tests.e2e.chromium import Chromium
from tests.e2e.firefox import Firefox
from tests.parts import ROOT

SERVICES = ("producer", "consumer", "video", "tfserving", "training")
IMAGES = (*(f"streamlens/{name}" for name in SERVICES), "confluentinc/cp-kafka", "confluentinc/cp-zookeeper")
SERVING = "tensorflow/serving:2.19.1"
BASES = (
    "python:3.11-slim-bookworm",
    "confluentinc/cp-kafka:7.9.2",
    "confluentinc/cp-zookeeper:7.9.2",
    "busybox:1.36",
    "prom/prometheus:v2.42.0",
)
"""The base images of the project's images, and the images that run next to them."""


Window = Chromium | Firefox
"""A page in either browser."""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser; while it is open, its event loop prevents others from running in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["chromium", "firefox"])
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Window]:
    """A page in each browser."""
    part = request.getfixturevalue("browser" if request.param == "chromium" else "firefox")
    with Chromium(part) if request.param == "chromium" else Firefox(part, tmp_path) as window:
        window.resize(1600, 900)
        yield window


@pytest.fixture(scope="module")
def windows(
    browser: Browser, firefox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Window, Window]]:
    """A page in Chromium and one in Firefox, for all tests of a file."""
    with Chromium(browser) as one, Firefox(firefox, tmp_path_factory.mktemp("firefox")) as other:
        for window in (one, other):
            window.resize(1600, 900)
        yield one, other


def call(*command: str, timeout: float = 300, **environment: str) -> str:
    """Run a command at the repository's root; return its standard output, or fail with its error output."""
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout[-3000:]}{run.stderr[-3000:]}"
    return run.stdout


def works(*command: str, timeout: float = 60) -> bool:
    """Whether a command exists and exits with status 0."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=timeout).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers, and Docker Compose."""
    if not works("docker", "version"):
        missing("docker", "start a Docker engine")
    if not works("docker", "compose", "version") and not works("docker-compose", "version"):
        missing("docker", "install Docker Compose")


@pytest.fixture(scope="session")
def images(engine: None) -> None:  # noqa: ARG001
    """The project's images, built by the README's command."""
    for name in BASES:
        if not has_image(name):
            missing("docker", f"the engine has no image {name} and cannot pull it")
    if not has_image(SERVING):
        call("docker", "build", "-f", "tests/e2e/serving/Dockerfile", "-t", SERVING, ".", timeout=600)
    call("make", "images", timeout=900)


def has_image(name: str) -> bool:
    """Whether the engine has an image, or can pull it."""
    return works("docker", "image", "inspect", name) or works("docker", "pull", name, timeout=300)


def missing_images() -> list[str]:
    """Return the images that the cluster's nodes lack."""
    held = call("kubectl", "get", "nodes", "-o", "jsonpath={.items[*].status.images[*].names}")
    return [name for name in IMAGES if f"{name}:" not in held]


def no_cluster() -> str | None:
    """Return why there is no cluster for tests: one that has the images, and does not run Streamlens."""
    how = "set KUBECONFIG to that of a cluster for tests, and load the images into it (k8s/README.md)"
    if "KUBECONFIG" not in os.environ or not works("kubectl", "get", "nodes"):
        return how
    until = time.monotonic() + 40  # a node looks for new images every half a minute
    while absent := missing_images():
        if time.monotonic() > until:
            return f"{how}; not there: {', '.join(absent)}"
        time.sleep(1)
    ours = "app.kubernetes.io/part-of=streamlens"
    if found := call("kubectl", "get", "pods", "--all-namespaces", "-l", ours, "-o", "name").split():
        return f"Streamlens runs on it already, and would be deleted: {', '.join(found)}"
    return None


@pytest.fixture(scope="session")
def cluster() -> None:
    """A Kubernetes cluster for tests."""
    if problem := no_cluster():
        missing("cluster", problem)

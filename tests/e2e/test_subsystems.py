"""Each subsystem's compose file: by itself, with the others', and in Docker Compose's both versions."""

import sys
from contextlib import ExitStack

import pytest

from consumer.model_server.client import connect
from consumer.model_server.url import ModelUrl
from tests.e2e.conftest import call
from tests.e2e.containers import PROJECT, Site, compose, compose_v2, expect_nobody, leftovers
from tests.parts import ROOT, free_port, wait_for

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.timeout(1200)]  # in which images are built

IMAGENET = ModelUrl.parse("grpc://127.0.0.1:8500/v1/models/imagenet")
SUBSYSTEMS = ["zookeeper", "tfserving", "producer", "consumer", "video"]


@pytest.fixture(scope="session")
def compose_v1(engine: None) -> list[str]:  # noqa: ARG001
    """The command of Docker Compose v1, in an environment of its own: it wants older packages than ours."""
    folder = ROOT / "build/compose-v1"
    call(sys.executable, "-m", "venv", str(folder))
    pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    call(*pip, "--no-deps", "--require-hashes", "-r", "tests/e2e/compose-v1.txt")
    return [str(folder / "bin/docker-compose")]


@pytest.fixture(params=["v2", "v1"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """Each version of Docker Compose."""
    command: list[str] = request.getfixturevalue("compose_v1") if request.param == "v1" else compose_v2()
    return command


@pytest.mark.parametrize("folder", [*SUBSYSTEMS, "compose"])
def test_a_compose_file_is_valid(command: list[str], folder: str) -> None:
    assert compose(folder, command, "config", "--quiet") == ""


# Where an engine gives its networks options of its own, v1 refuses to join one that is there already: only v2
# starts the subsystems one by one.
@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("command", "folders"), [("v2", SUBSYSTEMS), ("v1", ["compose"])], indirect=["command"], ids=["v2", "v1"]
)
def test_what_is_started_one_after_the_other_shows_a_labelled_picture(
    command: list[str], folders: list[str]
) -> None:
    expect_nobody()
    port = str(free_port())
    site = Site(f"http://127.0.0.1:{port}")

    def run(folder: str, *arguments: str) -> None:
        compose(folder, command, *arguments, COMPOSE_PROJECT_NAME=f"{PROJECT}-{folder}", VIDEOPORT=port)

    with ExitStack() as stack:
        for folder in folders:
            stack.callback(run, folder, "down", "--volumes")
            run(folder, "up", "--detach")
        wait_for(lambda: site.label_age() < 5, 90, "a labelled picture")
        seq = site.camera()["seq"]
        wait_for(lambda: site.camera()["seq"] > seq + 25, 10, "the picture to move")
        assert connect(IMAGENET, 10).missing() is None

    assert leftovers(f"{PROJECT}-{folder}" for folder in folders) == []

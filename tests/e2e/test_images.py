"""The images: their content, and how a container of each starts and stops."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pytest

from tests.e2e.containers import Container, docker, started
from tests.parts import wait_for

pytestmark = [
    pytest.mark.usefixtures("images"),
    pytest.mark.timeout(1200),
]  # the images are built during this time

OURS = ["producer", "consumer", "video"]
SETTINGS = {
    "producer": {"VIDEOLINK": "/clips/bikes.mp4", "KAFKAPORT": "127.0.0.1:1"},
    "consumer": {"KAFKAPORTIN": "127.0.0.1:1", "KAFKAPORTOUT": "127.0.0.1:1"},
    "video": {"KAFKAPORT": "127.0.0.1:1"},
    "training": {"KAFKAPORT": "127.0.0.1:1"},
}

TOOLS = "gcc cc g++ c++ make ld git curl pytest mypy ruff"
LOOK = f"""
for name in {TOOLS}; do command -v $name; done
find /app -name 'test*'
python -c 'import pytest' 2>/dev/null && echo pytest
id -u
"""


def about(image: str) -> Any:
    """Return Docker's report about an image."""
    return json.loads(docker("image", "inspect", f"streamlens/{image}"))[0]


def history(image: str) -> list[tuple[str, int]]:
    """Return the steps that built an image, base first, and the bytes that each added."""
    shown = "{{.Size}} {{.CreatedBy}}"
    command = ("history", "--no-trunc", "--human=false", "--format", shown, f"streamlens/{image}")
    steps = (line.partition(" ") for line in reversed(docker(*command).splitlines()))
    return [(step, int(size)) for size, _, step in steps]


@pytest.mark.parametrize("image", [*OURS, "training"])
def test_an_image_contains_neither_a_compiler_nor_tests(image: str) -> None:
    found = docker("run", "--rm", "--entrypoint", "sh", f"streamlens/{image}", "-c", LOOK)

    assert found == "65532", "only the user's number"


SCRIPTS = "crème brûlée,собака,σκύλος,قطة,חתול,कुत्ता,หมา,বাঘ,தமிழ்,犬,ねこ,고양이,自行车"
DRAWN = """
import sys
from PIL import features
from pipeline.stamp.lettering import drawable
assert features.check("fribidi") and features.check("raqm")
print(*map(drawable, sys.argv[1].split(",")), sep=",")
"""


@pytest.mark.parametrize("image", ["consumer", "video"])
def test_images_that_stamp_have_fonts_for_many_scripts(image: str) -> None:
    run = ("run", "--rm", "--entrypoint", "python", f"streamlens/{image}", "-c", DRAWN, SCRIPTS)

    assert docker(*run) == SCRIPTS


@pytest.mark.parametrize("image", [*OURS, "tfserving", "training"])
def test_an_image_names_its_user_by_number(image: str) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", about(image)["Config"]["User"])


# What the training image has for jobs and for pods: frameworks, and the client of the cluster.
LOADS = """
import keras, tensorflow
import training.job.__main__, training.inference.__main__
import training.runners.cluster.api, training.versions.sidecar.__main__
print(keras.backend.backend())
"""


def test_the_training_image_runs_the_service_its_jobs_and_the_sidecar() -> None:
    run = ("run", "--rm", "--entrypoint", "python", "streamlens/training", "-c", LOADS)

    assert docker(*run) == "tensorflow"


def shared(*images: str) -> int:
    """Return how many bytes of their first layers images have in common."""
    steps = zip(*(history(image) for image in images), strict=False)
    # Equal steps are the same layer, unless the builder's cache contains one of them twice.
    same_steps = takewhile(lambda same: len(set(same)) == 1, steps)
    return sum(size for (_, size), *_ in same_steps)


def test_the_services_images_share_most_of_their_bytes() -> None:
    by_all, by_those_that_stamp = shared(*OURS), shared("consumer", "video")

    # The producer's also holds PyAV with its FFmpeg.
    smallest, *_, largest = sorted(about(image)["Size"] for image in OURS)
    assert by_those_that_stamp > 0.9 * smallest
    assert by_all > 0.9 * (smallest - (by_those_that_stamp - by_all))
    assert by_all > 0.75 * largest


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("producer", "KAFKAPORT"),
        ("consumer", "KAFKAPORTIN"),
        ("video", "KAFKAPORT"),
        ("training", "KAFKAPORT"),
    ],
)
def test_a_missing_setting_ends_the_container_with_one_line(image: str, name: str) -> None:
    settings = {key: value for key, value in SETTINGS[image].items() if key != name}
    options = [f"--env={key}={value}" for key, value in settings.items()]

    run = subprocess.run(
        ["docker", "run", "--rm", *options, f"streamlens/{image}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 2
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"{image}: {name} is not set")


def handles_sigterm(container: Container) -> bool:
    """Whether the container's first process handles SIGTERM; process 1 has no default action for it."""
    return bool(int(container.process()["SigCgt"], 16) & 1 << 14)


@pytest.mark.parametrize("image", [*OURS, "training"])
def test_a_container_that_has_just_started_stops_promptly(image: str) -> None:
    with started(image, **SETTINGS[image]) as container:
        wait_for(lambda: handles_sigterm(container), 10, "Python to start")
        seconds = container.stop()

        assert seconds < 5, "half of Docker's time limit"
        assert container.state()["ExitCode"] == 0


def test_a_container_with_another_health_port_is_healthy() -> None:
    with started("video", "--health-interval=1s", HEALTHPORT=":9876", **SETTINGS["video"]) as container:
        wait_for(lambda: container.state()["Health"]["Status"] == "healthy", 30, "the probe to find the port")


# Queries the server from within its container, without and with the token, and prints both statuses.
ASK = """
import sys, urllib.error, urllib.request
for headers in ({}, {"Authorization": "Bearer " + sys.argv[1]}):
    try:
        asked = urllib.request.Request("http://127.0.0.1:8080/api/cameras", headers=headers)
        print(urllib.request.urlopen(asked, timeout=5).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""


@pytest.fixture
def volume() -> Iterator[str]:
    """A volume for the test."""
    name = docker("volume", "create")
    yield name
    docker("volume", "rm", name)


def test_users_in_a_volume_make_the_server_require_a_login(volume: str) -> None:
    users = "/etc/streamlens/users.json"
    mounted = ("--read-only", "--cap-drop=ALL", f"--volume={volume}:/etc/streamlens")
    tool = f"python -m pipeline.users --file {users}"
    make = f"echo correct horse | {tool} add ann && {tool} token ann player"
    token = docker("run", "--rm", *mounted, "--entrypoint=sh", "streamlens/video", "-c", make)

    with started("video", *mounted, USERS=users, **SETTINGS["video"]) as container:
        wait_for(lambda: "listening on port 8080" in container.log(), 20, "the server to listen")
        statuses = docker("exec", container.id, "python", "-c", ASK, token).split()

        assert statuses == ["401", "200"]


def test_a_cameras_password_is_in_no_log() -> None:
    settings = SETTINGS["producer"] | {"VIDEOLINK": "rtsp://user:secret@127.0.0.1:1/live"}

    with started("producer", **settings) as container:
        wait_for(lambda: "trying again in" in container.log(), 20, "the producer to try")

        assert "rtsp://user:***@127.0.0.1:1/live" in container.log()
        assert "secret" not in container.log()
        assert "secret" not in container.readiness()[1]

"""The Dockerfiles follow our rules. tests/e2e/test_images.py checks the images that they build."""

import json
import re
from pathlib import PurePosixPath

import pytest

from tests.k8s import dockerfiles, environment
from tests.k8s.dockerfiles import Line, enters, files, lines, stages
from tests.k8s.manifests import SYSTEMS, of_kind, system, values
from tests.parts import ROOT

PYTHON = "python:3.11-slim-bookworm"
SERVICES = ("producer", "consumer", "video")
ALL = (*SERVICES, "tfserving")

DOCUMENTS = {".md", ".yml", ".yaml", ".proto", ".pyi", ""}
"""Files that describe or deploy a service and are not part of it; a Dockerfile has no suffix."""


def last(folder: str, name: str) -> Line:
    """Return the only instruction of this name in the last stage."""
    (line,) = (line for line in stages(folder)[-1] if line.name == name)
    return line


@pytest.mark.parametrize("folder", ALL)
def test_a_build_needs_only_images_named_by_a_tag(folder: str) -> None:
    assert not re.search(r"(?im)^#\s*(syntax|escape|check)\s*=", dockerfiles.text(folder))
    assert "@sha256" not in dockerfiles.text(folder)
    bases = [line.value.split()[0] for line in lines(folder) if line.name == "FROM"]
    assert set(bases[:-1] if folder == "tfserving" else bases) == {PYTHON}


@pytest.mark.parametrize("folder", ALL)
def test_it_runs_as_an_unprivileged_user(folder: str) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last(folder, "USER").value)


@pytest.mark.parametrize("folder", SERVICES)
def test_the_service_receives_signals_itself(folder: str) -> None:
    assert last(folder, "ENTRYPOINT").command == ["python", "-m", "pipeline", folder]
    assert "CMD" not in {line.name for line in stages(folder)[-1]}


@pytest.mark.parametrize("folder", ALL)
def test_it_has_a_health_check(folder: str) -> None:
    health = last(folder, "HEALTHCHECK")

    assert re.match(r"--interval=\d+s --timeout=\d+s --start-period=\d+s CMD \[", health.value)
    assert health.command


@pytest.mark.parametrize("folder", SERVICES)
def test_its_ports_are_exposed(folder: str) -> None:
    ports = ["8080", "9000"] if folder == "video" else ["9000"]

    assert last(folder, "EXPOSE").value.split() == ports


@pytest.mark.parametrize("folder", ALL)
def test_only_pinned_packages_are_installed(folder: str) -> None:
    runs = [line.value for line in lines(folder) if line.name == "RUN"]
    installs = [
        command for run in runs for command in re.split(r"&&|\|\||;", run) if re.search(r"\bpip\b", command)
    ]

    assert installs
    for command in installs:
        assert re.search(r"\bpip install\b.* --require-hashes .*-r \S+\.txt\s*$", command), command
    assert not any(re.search(r"\b(curl|wget|git clone|apt-get)\b", run) for run in runs)
    assert "ADD" not in {line.name for line in lines(folder)}


def sources(folder: str) -> list[str]:
    """Return the sources that a Dockerfile copies from the repository."""
    copies = [line for line in lines(folder) if line.name == "COPY" and "--from=" not in line.value]
    return [source for line in copies for source in line.words[:-1]]


@pytest.mark.parametrize("folder", ALL)
def test_copied_files_are_in_the_build_context(folder: str) -> None:
    for source in sources(folder):
        parts = [file for file in files(source) if is_part(file)]

        assert parts, f"{source}: no such files"
        assert [file for file in parts if not enters(file)] == []


@pytest.mark.parametrize("folder", ALL)
def test_documents_and_manifests_change_no_image(folder: str) -> None:
    copied = [file for source in sources(folder) for file in files(source)]

    assert [file for file in copied if enters(file) and not is_part(file)] == []


def is_part(file: str) -> bool:
    """Whether a file is part of a service."""
    return "__pycache__" not in file and PurePosixPath(file).suffix not in DOCUMENTS


@pytest.mark.parametrize(
    ("path", "entered"),
    [
        ("pipeline/wire/frame.py", True),
        ("consumer/handlers/imagenet.py", True),
        ("video/page/index.html", True),
        ("tfserving/labels/imagenetLabels.json", True),
        ("producer/requirements.txt", True),
        ("producer/deployment.yml", False),
        ("producer/README.md", False),
        ("pipeline/__pycache__/frame.cpython-311.pyc", False),
        (".git/config", False),
        ("build/models/imagenet/1/saved_model.pb", False),
        ("tests/conftest.py", False),
        ("pyproject.toml", False),
    ],
)
def test_only_parts_of_services_are_in_the_build_context(path: str, entered: bool) -> None:
    assert enters(path) is entered


def test_the_services_share_their_first_layers() -> None:
    def shared(folder: str) -> str:
        head, copied, _ = dockerfiles.text(folder).rpartition("\nCOPY pipeline pipeline\n")
        assert copied
        return head[head.rindex("\nFROM ") :]

    first, *others = map(shared, SERVICES)
    assert first.startswith(f"\nFROM {PYTHON}\nWORKDIR /app\n")
    assert "pip install" in first
    assert others == [first, first]


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_clips_that_stand_in_for_cameras_are_in_the_image(name: str) -> None:
    (copied,) = (line for line in stages("producer")[-1] if "--from=clips" in line.value)
    *sources, target = copied.words
    clips = {target + PurePosixPath(source).name for source in sources}

    links = {values(secret)["VIDEOLINK"] for secret in of_kind(system(name), "Secret")}
    assert links <= clips
    assert environment.compose("producer", "producer")["VIDEOLINK"] in clips


def test_the_labels_are_in_the_image() -> None:
    (folder,) = json.loads(environment.compose("consumer", "consumer")["LABELURLS"]).values()
    copies = {line.words[-1]: line.words[0] for line in stages("consumer")[-1] if line.name == "COPY"}

    target, name = folder.split("/")
    assert (ROOT / copies[target] / name).is_file()

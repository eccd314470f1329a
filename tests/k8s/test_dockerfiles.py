"""The Dockerfiles keep to our rules; tests/e2e/test_images.py looks at the images themselves."""

import json
import re
from importlib.metadata import packages_distributions, requires
from pathlib import PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.imports import packages, reached
from tests.k8s import dockerfiles, environment
from tests.k8s.dockerfiles import Line, lines, stages
from tests.k8s.manifests import SYSTEMS, pod_of, read, system, workload
from tests.parts import ROOT

PYTHON = "python:3.11-slim-bookworm"
SERVICES = ("producer", "consumer", "video", "training")
TORCH = "training/torch.Dockerfile"
ALL = (*SERVICES, "tfserving", TORCH)
FONTS = {"fonts-noto-core", "fonts-droid-fallback", "fonts-nanum", "libfribidi0"}


@pytest.mark.parametrize("folder", ALL)
def test_a_build_needs_only_images_named_by_a_tag(folder: str) -> None:
    assert not re.search(r"(?im)^#\s*(syntax|escape|check)\s*=", dockerfiles.text(folder))
    assert "@sha256" not in dockerfiles.text(folder)
    bases = [line.value.split()[0] for line in lines(folder) if line.name == "FROM"]
    assert set(bases[:-1] if folder == "tfserving" else bases) == {PYTHON}


@pytest.mark.parametrize("folder", ALL)
def test_only_packages_that_are_known_are_installed(folder: str) -> None:
    runs = [line.value for line in lines(folder) if line.name == "RUN"]
    installs = [
        command for run in runs for command in re.split(r"&&|\|\||;", run) if re.search(r"\bpip\b", command)
    ]

    assert installs
    for command in installs:
        assert re.search(r"\bpip install\b.* --require-hashes .*-r \S+\.txt\s*$", command), command
    assert not any(re.search(r"\b(curl|wget|git clone)\b", run) for run in runs)
    assert "ADD" not in {line.name for line in lines(folder)}


def test_tensorflow_is_installed_once_for_all_images_with_it() -> None:
    def begin(folder: str) -> list[Line]:
        first = stages(folder)[0]
        (place,) = (at for at, line in enumerate(first) if "-r tfserving/requirements.txt" in line.value)
        return first[1 : place + 1]

    assert begin("tfserving") == begin("training") == begin("tests/e2e/serving")


@pytest.mark.parametrize("folder", ALL)
def test_debian_packages_are_installed_only_to_copy_fonts_from_them(folder: str) -> None:
    *before, last = stages(folder)
    installs = [
        set(re.findall(r"(?<= )[a-z][a-z0-9-]+", command.partition("--no-install-recommends")[2]))
        for stage in before
        for line in stage
        for command in line.value.split("&&")
        if "apt-get install" in command
    ]

    assert not any("apt-get" in line.value for line in last)
    assert installs == ([FONTS] if folder in {"consumer", "video"} else [])


@pytest.mark.parametrize(
    ("folder", "module"),
    [
        *((service, f"{service}/__main__.py") for service in SERVICES),
        ("tests/e2e/serving", "tfserving/server/__main__.py"),
        ("training", "training/job/__main__.py"),
        ("training", "training/inference/__main__.py"),
        (TORCH, "training/job/__main__.py"),
        (TORCH, "training/inference/__main__.py"),
    ],
)
def test_an_image_has_what_its_service_imports(folder: str, module: str) -> None:
    copies = [line.words for line in stages(folder)[-1] if line.name == "COPY" and "--from" not in line.value]
    copied = [ROOT / source for words in copies for source in words[:-1]]

    missing = [path for path in reached(ROOT / module) if not any(map(path.is_relative_to, copied))]

    assert missing == []


@pytest.mark.parametrize(
    ("requirements", "module"),
    [
        *((service, f"{service}/__main__.py") for service in SERVICES),
        ("tfserving", "tfserving/server/__main__.py"),
        ("training/torch", "training/job/__main__.py"),
        ("training/torch", "training/inference/__main__.py"),
    ],
)
def test_its_requirements_have_what_its_service_imports(requirements: str, module: str) -> None:
    files = sorted((ROOT / requirements).glob("*.txt"))
    pinned = {each for file in files for each in re.findall(r"(?m)^([A-Za-z0-9._-]+)==", file.read_text())}
    distributions = packages_distributions()

    missing = [
        name
        for name in packages(ROOT / module)
        if not pinned & {each.lower().replace("_", "-") for each in distributions.get(name, [name])}
    ]

    assert missing == []


@pytest.mark.parametrize(
    "folder",
    [*SERVICES, "pipeline", "pipeline/stamp", "compose", "tfserving", "tests", "producer/cameras/onvif"],
)
def test_requirements_are_complete(folder: str) -> None:
    """With hashes, pip refuses to install what is not pinned, on any system."""
    text = (ROOT / folder / "requirements.txt").read_text()
    pinned = map(Requirement, re.findall(r"(?m)^[\w.-]+==[^\\\n]+", text))
    names = {canonicalize_name(each.name) for each in pinned if each.marker is None or each.marker.evaluate()}

    missing = {
        f"{name} needs {need.name}"
        for name in names
        for need in map(Requirement, requires(name) or [])
        if need.marker is None or need.marker.evaluate({"extra": ""})
        if canonicalize_name(need.name) not in names
    }

    assert names
    assert missing == set()


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_clips_that_stand_in_for_cameras_are_in_the_image(name: str) -> None:
    (copied,) = (line for line in stages("producer")[-1] if "--from=clips" in line.value)
    *sources, target = copied.words
    clips = {target + PurePosixPath(source).name for source in sources}

    documents = system(name)
    producer = workload(documents, "producer")
    (container,) = pod_of(producer)["containers"]
    assert environment.kubernetes(producer, container, documents)["DEMOLINK"] in clips
    assert environment.compose("producer", "producer")["DEMOLINK"] in clips
    (cameras,) = read("k8s/overlays/many-cameras/cameras.yml")
    assert {camera["link"] for camera in cameras["cameras"].values()} <= clips


def test_the_labels_are_in_the_image() -> None:
    (folder,) = json.loads(environment.compose("consumer", "consumer")["LABELURLS"]).values()
    copies = {line.words[-1]: line.words[0] for line in stages("consumer")[-1] if line.name == "COPY"}

    target, name = folder.split("/")
    assert (ROOT / copies[target] / name).is_file()

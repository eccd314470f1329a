"""A release: images in a registry, and manifests that name each of them by its digest."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.e2e.conftest import IMAGES, call
from tests.parts import ROOT, Process, free_port, get, reads, wait_for

CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""


@pytest.fixture
def registry(images: None, tmp_path: Path) -> Iterator[str]:  # noqa: ARG001
    """The address of a registry for the test."""
    program = shutil.which("docker-registry")
    if program is None:
        missing("docker", "install the package docker-registry")
    address = f"127.0.0.1:{free_port()}"
    config = tmp_path / "config.yml"
    config.write_text(CONFIG.format(folder=tmp_path / "images", address=address))
    with Process([str(program), "serve", str(config)], {}, tmp_path / "registry.log"):
        wait_for(lambda: reads(f"http://{address}/v2/"), 20, "the registry")
        yield address
    for name in call("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
        if name.startswith(address):
            call("docker", "image", "rm", name)


@pytest.mark.timeout(900)
def test_a_release_names_every_image_by_the_digest_it_has_in_the_registry(registry: str) -> None:
    call("make", "release", f"REGISTRY={registry}/you", timeout=800)

    named = set(re.findall(r"image: (\S+)", (ROOT / "build/release.yml").read_text()))
    found = dict(re.findall(rf"{registry}/you/([a-z-]+)@(sha256:[0-9a-f]{{64}})(?: |$)", " ".join(named)))
    assert len(named) == len(found) == len(IMAGES)
    assert found.keys() == {name.partition("/")[2] for name in IMAGES}
    for name, digest in found.items():
        assert get(f"http://{registry}/v2/you/{name}/manifests/{digest}")


def test_a_release_requires_a_registry() -> None:
    with pytest.raises(AssertionError, match="REGISTRY"):
        call("k8s/release", REGISTRY="")

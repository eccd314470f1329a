"""The Python generated from the project's .proto files matches what `make protos` writes."""

import subprocess
from pathlib import Path

import pytest

from tests.parts import ROOT

pytestmark = pytest.mark.parts

PROTOS = [
    path.relative_to(ROOT) for top in ("consumer", "tfserving") for path in (ROOT / top).rglob("*.proto")
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make protos` has written to."""
    folder = tmp_path_factory.mktemp("protos")
    # What is installed is as it is.
    command = ["make", "--silent", "--assume-old=.venv/test", "protos", f"OUT={folder}"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    return folder


@pytest.mark.parametrize("suffix", ["_pb2.py", "_pb2.pyi"])
@pytest.mark.parametrize("proto", PROTOS, ids=str)
def test_the_generated_python_of_a_proto_is_current(made: Path, proto: Path, suffix: str) -> None:
    name = proto.with_name(proto.stem + suffix)

    assert (ROOT / name).read_text() == (made / name).read_text()

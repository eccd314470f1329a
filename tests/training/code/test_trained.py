"""Models that were trained elsewhere are loaded with TensorFlow and PyTorch in the restricted process."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import h5py
import pytest

from tests.training.code.test_checking import DENSE, TORCH
from training.code import checking
from training.code.checking import build, check_trained
from training.code.limits import Limits
from training.code.program import CodeError, Program

IMPORTS: Final = "from keras.layers import Dense"
PROGRAM: Final = Program("tf", IMPORTS, DENSE)
OTHER: Final = DENSE.replace("(8, 8)", "(4, 4)")
SAVE: Final = """
import sys
import keras
from keras.layers import Dense
exec(sys.argv[2])
model.save(sys.argv[1])
"""
SAVE_STATE: Final = """
import sys
import torch
torch.save(torch.nn.Sequential(torch.nn.Linear(4, int(sys.argv[2]))).state_dict(), sys.argv[1])
"""


def saved(file: Path, script: str, argument: str) -> Path:
    subprocess.run([sys.executable, "-c", script, file, argument], check=True, timeout=120)
    return file


class Kept:
    """Keeps the names of the files of a SavedModel."""

    def __init__(self) -> None:
        self.names: set[str] | None = None

    def __call__(self, folder: Path) -> None:
        self.names = {each.name for each in folder.iterdir()}


@pytest.mark.parts
@pytest.mark.timeout(300)
def test_a_model_of_the_program_is_exported(tmp_path: Path) -> None:
    build(PROGRAM, ours := tmp_path / "ours")
    theirs = saved(tmp_path / "theirs.keras", SAVE, DENSE)
    for file in (ours, theirs):
        kept = Kept()
        check_trained(PROGRAM, file, kept)

        assert kept.names is not None
        assert "saved_model.pb" in kept.names


def bomb(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 2**28)


def empty(file: Path) -> None:
    with h5py.File(file, "w") as content:
        content["x"] = [1, 2, 3]


def half(file: Path) -> None:
    build(PROGRAM, file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parts
@pytest.mark.timeout(300)
@pytest.mark.parametrize("write", [bomb, empty, half], ids=["zip", "hdf5", "half"])
def test_what_is_no_model_is_refused(tmp_path: Path, write: Callable[[Path], object]) -> None:
    write(file := tmp_path / "file")

    with pytest.raises(CodeError, match="the trained model cannot be loaded: "):
        check_trained(PROGRAM, file, Kept())


@pytest.mark.parts
@pytest.mark.timeout(300)
def test_a_model_of_another_program_is_refused(tmp_path: Path) -> None:
    build(Program("tf", IMPORTS, OTHER), file := tmp_path / "other")

    shapes = r"inputs of the shapes .*4, 4.*, but that of the configuration .*8, 8"
    with pytest.raises(CodeError, match=shapes):
        check_trained(PROGRAM, file, kept := Kept())
    assert kept.names is None


@pytest.mark.usefixtures("pytorch")
@pytest.mark.timeout(300)
def test_a_state_dict_fits_or_is_refused(tmp_path: Path) -> None:
    code = TORCH.replace("self.layer = nn.Linear(4, 2)", "self.layer = nn.Sequential(nn.Linear(4, 2))")
    program = Program("pth", "", code)
    prefix = 'state = {f"layer.{name}": value for name, value in'
    script = SAVE_STATE.replace("torch.save(", f"{prefix} ").replace(
        ".state_dict(), sys.argv[1])", ".state_dict().items()}\ntorch.save(state, sys.argv[1])"
    )
    check_trained(program, saved(tmp_path / "ours.pth", script, "2"), kept := Kept())
    assert kept.names is None

    with pytest.raises(CodeError, match=r"the trained model cannot be loaded: .*size mismatch"):
        check_trained(program, saved(tmp_path / "other.pth", script, "3"), Kept())


def test_the_file_may_be_read_and_the_folder_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    used = dict[str, Any]()

    def run(task: str, request: dict[str, Any], **more: Any) -> None:
        used.update(more, task=task, request=request)
        (more["folder"] / "exported").mkdir()

    monkeypatch.setattr(checking, "run", run)
    check_trained(PROGRAM, tmp_path / "file", kept := Kept(), Limits(memory=5))

    assert used["task"] == "training.code.child.trained"
    assert used["request"]["trained"] == str(tmp_path / "file")
    assert (used["read"], used["limits"].memory, kept.names) == ([tmp_path / "file"], 5, set())
    assert not used["folder"].exists()

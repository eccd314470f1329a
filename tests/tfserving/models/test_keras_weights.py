"""Weights are read from Keras' HDF5 files, whatever groups lie between a layer and its tensors."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from tfserving.models import keras_weights
from tfserving.models.weights import WeightsError


@pytest.mark.parametrize("inner", ["conv", "conv_1", "model/conv"])
def test_a_tensor_is_named_after_its_layer(tmp_path: Path, inner: str) -> None:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    with h5py.File(tmp_path / "m.hdf5", "w") as file:
        file[f"model_weights/conv/{inner}/kernel:0"] = kernel
        file["optimizer_weights/Variable:0"] = kernel

    tensors = keras_weights.read(tmp_path / "m.hdf5")

    assert list(tensors) == ["conv/kernel"]
    assert (tensors["conv/kernel"] == kernel).all()


def test_another_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.hdf5").write_text("no model")
    with h5py.File(tmp_path / "empty.hdf5", "w"):
        pass
    with h5py.File(tmp_path / "flat.hdf5", "w") as file:
        file["model_weights"] = [1.0]

    for name in ("text", "empty", "flat", "missing"):
        with pytest.raises(WeightsError, match=r"Keras model in HDF5: .+\Z"):
            keras_weights.read(tmp_path / f"{name}.hdf5")

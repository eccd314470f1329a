"""The model of these figures, and its samples."""

from pathlib import Path
from typing import Any, Final

import numpy as np

COUNT: Final = 60_000
CONFIG: Final = {"data_type": "uint8", "data_reshape": "784", "label_type": "uint8", "label_reshape": ""}

CODE: Final = """\
model = keras.Sequential([
    keras.Input((784,)),
    keras.layers.Rescaling(1 / 255),
    keras.layers.Dense(128, "relu"),
    keras.layers.Dense(10, "softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
BATCH: Final = 128
EPOCHS: Final = 10
PREDICTED: Final = 64  # samples per batch of the bare model


def samples(folder: Path) -> tuple[Any, Any]:
    """Return features, shape (60,000, 784), and labels; they are also written to files in a folder."""
    random = np.random.default_rng(1)
    features = random.integers(0, 256, (COUNT, 784), np.uint8)
    labels = random.integers(0, 10, COUNT, np.uint8)
    np.save(folder / "features.npy", features)
    np.save(folder / "labels.npy", labels)
    return features, labels

"""The same without Kafka: fits, or predicts, arrays in memory: `python -m tests.bench.training.bare`."""

import sys
import time
from pathlib import Path
from typing import Final

import keras
import numpy as np

from tests.bench.training.model import BATCH, CODE, EPOCHS, PREDICTED

_WARM: Final = 50  # batches


def fit(folder: Path) -> None:
    """Fit the model, as the job does, on the arrays in a folder, and save it there."""
    keras.utils.set_random_seed(1)
    features, labels = (np.load(folder / f"{name}.npy") for name in ("features", "labels"))
    model = _model()
    model.fit(features, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    model.save(folder / "bare.h5")


def predict(folder: Path) -> None:
    """Predict all samples in batches; print how many per second."""
    features = np.load(folder / "features.npy")
    model = _model()
    for _ in range(_WARM):
        model.predict_on_batch(features[:PREDICTED])
    begun = time.monotonic()
    for start in range(0, len(features), PREDICTED):
        model.predict_on_batch(features[start : start + PREDICTED])
    print(len(features) / (time.monotonic() - begun))


def _model() -> keras.Model:
    names: dict[str, object] = {"keras": keras}
    exec(CODE, names)
    model = names["model"]
    assert isinstance(model, keras.Model)
    return model


if __name__ == "__main__":
    {"fit": fit, "predict": predict}[sys.argv[1]](Path(sys.argv[2]))

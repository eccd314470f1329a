"""A model for pictures answers the pipeline's question as it was trained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.parts import ROOT
from training.data.pictures import columns

LABELS = ["red", "green", "blue", "é"]
SCRIPT = """\
import sys, keras, numpy as np, tensorflow as tf
from pathlib import Path
from training.job.child.labeller import can_label, export
inputs = keras.Input((8, 12, 3))
model = keras.Model(inputs, keras.layers.Dense(4, "softmax")(keras.layers.Flatten()(inputs) / 255))
labels = ["red", "green", "blue", "é"]
assert can_label(model, labels) and not can_label(model, labels[1:])
folder = Path(sys.argv[1])
export(model, (8, 12), labels, folder / "exported")
served = tf.saved_model.load(str(folder / "exported")).signatures["serving_default"]
jpegs = [(folder / name).read_bytes() for name in ("large.jpg", "same.jpg")]
found = served(image_bytes=tf.constant(jpegs))
expected = model.predict(np.load(folder / "pixels.npy"), verbose=0)
np.testing.assert_allclose(found["probabilities"][:, 1:], expected, atol=0.02)
np.testing.assert_array_equal(found["probabilities"][:, 0], [0, 0])
np.testing.assert_array_equal(found["classes"], expected.argmax(1) + 1)
"""


@pytest.mark.parts
@pytest.mark.timeout(600)
def test_a_model_for_pictures_has_the_pipelines_signature(tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8)
    for name, image in (("large.jpg", np.kron(small, np.ones((8, 8, 1), np.uint8))), ("same.jpg", small)):
        (tmp_path / name).write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    decoder, _ = columns(LABELS, [8, 12])
    pixels = decoder.decode([(tmp_path / name).read_bytes() for name in ("large.jpg", "same.jpg")])
    np.save(tmp_path / "pixels.npy", pixels)

    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})

    assert json.loads((tmp_path / "exported/labels.json").read_text()) == LABELS

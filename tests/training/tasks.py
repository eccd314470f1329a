"""What models can learn within seconds: their code, their samples, and how good their predictions must be."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.client import AvroSink, RawSink
from training.data import avro
from training.example.digits import CODE as DIGITS_CODE
from training.example.digits import digits

_HELD: Final = 300
"""The number of samples that no training sees."""

_NET: Final = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        return self.layers(x / 16)

    def loss_fn(self):
        return nn.CrossEntropyLoss()

    def optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=0.005)

    def metrics(self):
        return {"loss": Loss(self.loss_fn()), "accuracy": Accuracy()}

model = Net()
"""

_PATIENTS: Final = """\
model = Sequential(
    [
        keras.Input((5,)),
        Normalization(mean=[55, 0.5, 3, 20, 2e10], variance=[400, 0.25, 1.3, 130, 6e19]),
        Dense(16, activation="relu"),
        Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
"""

_LINE: Final = """\
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
"""

PATIENT: Final = {
    "type": "record",
    "name": "patient",
    "fields": [
        {"name": "age", "type": "int"},
        {"name": "smoker", "type": "boolean"},
        {"name": "fev1", "type": "float"},
        {"name": "pack_years", "type": "double"},
        {"name": "born", "type": "long"},
    ],
}
DIAGNOSIS: Final = {
    "type": "record",
    "name": "diagnosis",
    "fields": [{"name": "copd", "type": "boolean"}],
}


@dataclass(frozen=True, slots=True)
class Task:
    """A model's code, and samples with their labels as a sink takes them.

    `encode` makes the value of a message for an inference. `good` is given the predictions, shape
    (n, outputs), and the labels, shape (n,). A model with `classes` has a confusion matrix.
    """

    name: str
    framework: str
    code: str
    fit: str
    samples: Sequence[tuple[Any, Any]]
    sink: Callable[..., RawSink | AvroSink]
    encode: Callable[[Any], bytes]
    good: Callable[[NDArray[Any], NDArray[Any]], bool]
    classes: int | None = None
    imports: str = ""

    @property
    def known(self) -> Sequence[tuple[Any, Any]]:
        """The samples for the training, with those of its validation and test."""
        return self.samples[:-_HELD]

    @property
    def held_out(self) -> Sequence[tuple[Any, Any]]:
        """The others."""
        return self.samples[-_HELD:]


def pictures_of_digits() -> Task:
    """Return the task of the example: digits of 8 by 8 pixels, RAW, with TensorFlow."""
    return Task(
        name="digits",
        framework="tf",
        code=DIGITS_CODE,
        fit="epochs=15",
        samples=_digits(),
        sink=RawSink,
        encode=bytes,
        good=_nine_of_ten,
        classes=10,
    )


def digits_with_pytorch() -> Task:
    """Return a task with PyTorch: digits as 64 numbers, RAW."""
    return Task(
        name="digits of torch",
        framework="pth",
        code=_NET,
        fit="max_epochs=15, shuffle=True",
        samples=[(picture.reshape(64), label) for picture, label in _digits()],
        sink=RawSink,
        encode=bytes,
        good=_nine_of_ten,
        classes=10,
    )


def table_of_patients() -> Task:
    """Return a task with records of all types, AVRO, whose labels are booleans."""
    chance = random.Random(2)
    rows = list[tuple[dict[str, Any], dict[str, bool]]]()
    for _ in range(1000):
        patient = {
            "age": chance.randrange(20, 90),
            "smoker": chance.random() < 0.5,
            "fev1": chance.uniform(1, 5),
            "pack_years": chance.uniform(0, 40),
            "born": chance.randrange(2**33, 2**35),
        }
        burden = patient["pack_years"] * (2 if patient["smoker"] else 0.5) - 15 * (patient["fev1"] - 2)
        rows.append((patient, {"copd": burden > 0}))
    return Task(
        name="patients",
        framework="tf",
        imports="from keras import Sequential\nfrom keras.layers import Dense, Normalization",
        code=_PATIENTS,
        fit="epochs=30",
        samples=rows,
        sink=partial(AvroSink, data_scheme=PATIENT, label_scheme=DIAGNOSIS),
        encode=avro.column(PATIENT).encode,
        good=_right_diagnoses,
        classes=2,
    )


def numbers_on_a_line() -> Task:
    """Return a regression: three numbers, RAW, whose label is a number."""
    inputs = np.random.default_rng(3).uniform(-1, 1, (1000, 3)).astype(np.float32)
    labels = (inputs @ [3, -2, 0.5] + 1).astype(np.float32)
    return Task(
        name="line",
        framework="tf",
        code=_LINE,
        fit="epochs=20",
        samples=[*zip(inputs, labels, strict=True)],
        sink=RawSink,
        encode=lambda row: bytes(row.tobytes()),
        good=lambda found, expected: float(np.abs(found[:, 0] - expected).max()) < 0.1,
    )


def _digits() -> list[tuple[NDArray[np.uint8], np.uint8]]:
    return [(np.frombuffer(each.pixels, np.uint8).reshape(8, 8), np.uint8(each.label)) for each in digits()]


def _nine_of_ten(found: NDArray[Any], labels: NDArray[Any]) -> bool:
    return float(np.mean(found.argmax(1) == labels)) >= 0.9


def _right_diagnoses(found: NDArray[Any], labels: NDArray[Any]) -> bool:
    return float(np.mean((found[:, 0] > 0.5) == [each["copd"] for each in labels])) >= 0.9

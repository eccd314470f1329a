"""The figures of training and inference. All but those of the service need a Kafka at `KAFKA_BOOTSTRAP`."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.figures import Measured
from tests.bench.system import broker
from tests.bench.training import beside, fitting, predicting, serving
from tests.bench.training.model import samples

FIGURES: Final = (
    fitting.JOB,
    fitting.READING,
    predicting.PREDICTIONS,
    predicting.MEDIAN,
    predicting.SLOWEST,
    beside.AGE,
    serving.MEMORY,
    serving.LIST,
)


def measure() -> list[Measured]:
    """Return the figures; without a real Kafka, which can hold the samples, only those of the service."""
    measured = list[Measured]()
    with TemporaryDirectory() as name:
        folder = Path(name)
        if bootstrap := os.environ.get("KAFKA_BOOTSTRAP"):
            features, labels = samples(folder)
            measured += fitting.measure(bootstrap, folder, features, labels)
            measured += predicting.measure(bootstrap, folder, features, labels)
            measured += beside.measure(bootstrap, folder, features, labels)
        else:
            print("  training: only the service is measured: set KAFKA_BOOTSTRAP to a Kafka", flush=True)
        with broker(folder) as bootstrap:
            measured += serving.measure(bootstrap, folder)
    return measured
